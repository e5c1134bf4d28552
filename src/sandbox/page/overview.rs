//! All mailboxes on one week: a row each, a cell a day.

use std::fmt::Write as _;

use super::{
    Mailbox, Picture,
    block::Block,
    html::{escape, hint, label},
};

/// How many items a cell shows.
const CHIPS_MAX: usize = 4;

/// The table of all mailboxes.
pub(super) fn overview(picture: &Picture, mailboxes: &[Mailbox]) -> String {
    let mut html = format!(
        "<div class=\"card\"><table class=\"overview\"><thead><tr><th class=\"who\">{} mailboxes</th>",
        mailboxes.len()
    );
    for (day, date) in picture.days().enumerate() {
        let (today, end) = (if date == picture.today { " today" } else { "" }, if day > 4 { "end" } else { "" });
        let _ = write!(html, "<th class=\"{end}{today}\">{}</th>", date.strftime("%a %d"));
    }
    html.push_str("</tr></thead><tbody>");
    for mailbox in mailboxes {
        row(&mut html, picture, mailbox);
    }
    html.push_str("</tbody></table></div>");
    html
}

fn row(html: &mut String, picture: &Picture, mailbox: &Mailbox) {
    let _ = write!(
        html,
        "<tr><th><a href=\"{}\"><span class=\"badge\">{}</span>{}<small>{}{}</small></a></th>",
        picture.link(picture.monday, Some(&mailbox.address)),
        mailbox.count,
        escape(&mailbox.name),
        escape(&mailbox.address),
        mailbox.note.as_ref().map(|note| format!(" <span class=\"state\">{note}</span>")).unwrap_or_default(),
    );
    for day in 0..7 {
        let of_day = |block: &&Block| block.day_first <= day && day <= block.day_last;
        let mut blocks: Vec<&Block> = mailbox.week.strips.iter().filter(of_day).collect();
        let mut hours: Vec<&Block> = mailbox.week.hours.iter().filter(of_day).collect();
        hours.sort_by_key(|block| block.minutes);
        blocks.extend(hours);
        let _ = write!(html, "<td class=\"{}\">", if day > 4 { "end" } else { "" });
        // One more fits where "+1 more" would stand.
        let shown = if blocks.len() == CHIPS_MAX + 1 { CHIPS_MAX + 1 } else { CHIPS_MAX };
        for block in blocks.iter().take(shown) {
            let time = block.minutes.map(|_| format!("<time>{}</time>", block.start.strftime("%H:%M")));
            let _ = write!(
                html,
                "<span class=\"chip {}\" title=\"{}\">{}{}</span>",
                block.classes,
                hint(block),
                time.unwrap_or_default(),
                label(block)
            );
        }
        if blocks.len() > shown {
            let _ = write!(html, "<span class=\"more\">+{} more</span>", blocks.len() - shown);
        }
        html.push_str("</td>");
    }
    html.push_str("</tr>");
}
