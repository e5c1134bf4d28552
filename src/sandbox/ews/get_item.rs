//! GetItem.

use super::{
    Targets,
    access::{Access, Session},
    calendar_item,
    element::{Element, Space},
    fault::Fault,
    reply::{Reply, batch, run},
    shape::Shape,
    target::{ItemRef, read_items},
    version::Version,
    writer::Writer,
};

#[derive(Debug, Clone)]
pub(super) struct Request {
    shape: Shape,
    items: Vec<ItemRef>,
}

impl Request {
    pub(super) fn read(element: &Element, version: Version) -> Result<Self, Fault> {
        element.only_attributes(&[])?;
        let mut sequence = element.sequence();
        let shape = Shape::read(sequence.required(Space::Messages, "ItemShape")?, version)?;
        let items = read_items(sequence.required(Space::Messages, "ItemIds")?)?;
        sequence.finish()?;
        Ok(Self { shape, items })
    }

    pub(super) fn targets(&self) -> Targets<'_> {
        Targets::of_items(&self.items)
    }

    pub(super) fn execute(self, session: &Session<'_>) -> Reply {
        let columns = self.shape.columns(session.version, false);
        let outcomes = run(&self.items, |reference| {
            let (mailbox, target) = session.item(reference, Access::Read)?;
            let entry = session.store.get(&mailbox, &target)?;
            let mut writer = Writer::new();
            writer.open("m:Items", &[]);
            calendar_item::write(&mut writer, session, &entry, &columns)?;
            writer.close("m:Items");
            Ok(writer.finish())
        });
        batch("GetItem", "<m:Items/>", &outcomes)
    }
}
