//! One mailbox on one week: columns of days, rows of hours, whole days on top.

use std::fmt::Write as _;

use super::{
    Mailbox, Picture,
    block::{Block, DAY_MINUTES},
    html::{escape, hint, label},
};

/// How high an hour is; the style sheet draws its lines at the same distance.
const HOUR_PIXELS: u32 = 44;
/// The hours that are always shown.
const HOURS: (u32, u32) = (7, 19);

/// The list of mailboxes and the week of one of them.
pub(super) fn detail(picture: &Picture, mailboxes: &[Mailbox], shown: &Mailbox) -> String {
    let mut html = "<div class=\"split\"><nav class=\"card\">".to_owned();
    for mailbox in mailboxes {
        let here = if mailbox.address == shown.address { " class=\"here\"" } else { "" };
        let _ = write!(
            html,
            "<a{here} href=\"{}\"><span class=\"badge\">{}</span>{}<small>{}</small></a>",
            picture.link(picture.monday, Some(&mailbox.address)),
            mailbox.count,
            escape(&mailbox.name),
            escape(mailbox.address.split_once('@').map_or("", |(_, domain)| domain))
        );
    }
    let _ = write!(
        html,
        "</nav><div class=\"card\"><div class=\"title\"><h2>{}</h2><span>{} · {}</span>{}</div>",
        escape(&shown.name),
        escape(&shown.address),
        escape(&shown.zone),
        shown.note.as_ref().map(|note| format!("<span class=\"state\">{note}</span>")).unwrap_or_default()
    );
    html.push_str("<div class=\"days\"><div></div>");
    for date in picture.days() {
        let today = if date == picture.today { " today" } else { "" };
        let _ = write!(html, "<div class=\"day-name{today}\">{}</div>", date.strftime("%a %d %b"));
    }
    html.push_str("</div>");
    strips(&mut html, &shown.week.strips);
    hours(&mut html, &shown.week.hours);
    html.push_str("</div></div>");
    html
}

fn strips(html: &mut String, strips: &[Block]) {
    html.push_str("<div class=\"days strip\"><div class=\"label\">all day</div>");
    for block in strips {
        let _ = write!(
            html,
            "<span class=\"chip {}\" style=\"grid-row:{};grid-column:{}/{}\" title=\"{}\">{}</span>",
            block.classes,
            block.lane.0 + 1,
            block.day_first + 2,
            block.day_last + 3,
            hint(block),
            label(block)
        );
    }
    html.push_str("</div>");
}

fn hours(html: &mut String, blocks: &[Block]) {
    let extents = blocks.iter().filter_map(|block| block.minutes);
    let first = extents.clone().map(|(from, _)| from / 60).min().unwrap_or(HOURS.0).min(HOURS.0);
    let last = extents.map(|(_, to)| to.div_ceil(60)).max().unwrap_or(HOURS.1).clamp(HOURS.1, DAY_MINUTES / 60);
    html.push_str("<div class=\"days\"><div>");
    for hour in first..last {
        let text = if hour == first { String::new() } else { format!("{hour}:00") };
        let _ = write!(html, "<div class=\"hour\">{text}</div>");
    }
    html.push_str("</div>");
    for day in 0..7 {
        let end = if day > 4 { " end" } else { "" };
        let _ = write!(html, "<div class=\"column{end}\" style=\"height:{}px\">", (last - first) * HOUR_PIXELS);
        for block in blocks.iter().filter(|block| block.day_first == day) {
            hour_block(html, block, first);
        }
        html.push_str("</div>");
    }
    html.push_str("</div>");
}

fn hour_block(html: &mut String, block: &Block, first_hour: u32) {
    let (from, to) = block.minutes.unwrap_or_default();
    let height = (to - from).max(25) * HOUR_PIXELS / 60;
    let top = (from - first_hour * 60) * HOUR_PIXELS / 60;
    let (lane, lanes) = (f64::from(block.lane.0), f64::from(block.lane.1.max(1)));
    let low = if height < 40 { " low" } else { "" };
    let place = if block.location.is_empty() { String::new() } else { format!("<i>{}</i>", escape(&block.location)) };
    let times = if low.is_empty() {
        format!("{}–{}", block.start.strftime("%H:%M"), block.end.strftime("%H:%M"))
    } else {
        block.start.strftime("%H:%M").to_string()
    };
    let _ = write!(
        html,
        "<div class=\"block {}{low}\" style=\"top:{top}px;height:{}px;left:calc({:.2}% + 1px);width:calc({:.2}% - 3px)\" \
         title=\"{}\"><time>{times}</time><b>{}</b>{place}</div>",
        block.classes,
        height.saturating_sub(2),
        100.0 * lane / lanes,
        100.0 / lanes,
        hint(block),
        label(block)
    );
}
