//! The page at `/`: the week of every mailbox, or of one, as a picture. No scripts, nothing loaded from elsewhere.

mod block;
mod detail;
mod html;
mod overview;

use std::fmt::Write as _;

use bytes::Bytes;
use http::Response;
use jiff::{ToSpan as _, civil::Date};

use self::{
    block::{Colours, Week, bounds, week},
    html::escape,
};
use super::{
    answer,
    counters::Counts,
    faces::Inbound,
    service::Sandbox,
    store::{Entry, Half, MailboxInfo, MailboxState, Zone},
    urlencoded,
};

const STYLE: &str = include_str!("style.css");

/// What the page shows.
#[derive(Debug)]
struct Picture {
    monday: Date,
    today: Date,
    mailbox: Option<String>,
}

/// A mailbox as the page shows it.
#[derive(Debug)]
struct Mailbox {
    address: String,
    name: String,
    zone: String,
    count: usize,
    /// Its half and its state, where there is anything to say.
    note: Option<String>,
    week: Week,
}

impl Picture {
    /// What a query asks for: the week of a date, this week without one, and one mailbox or all.
    fn new(query: &str, today: Date) -> Self {
        let pairs = urlencoded::pairs(query);
        let date = urlencoded::value(&pairs, "week").and_then(|date| date.parse().ok()).unwrap_or(today);
        Self {
            monday: monday_of(date),
            today,
            mailbox: urlencoded::value(&pairs, "mailbox").filter(|one| !one.is_empty()).map(str::to_owned),
        }
    }

    fn days(&self) -> impl Iterator<Item = Date> {
        self.monday.series(1.day()).take(7)
    }

    fn link(&self, monday: Date, mailbox: Option<&str>) -> String {
        let mailbox =
            mailbox.map(|address| format!("&amp;mailbox={}", urlencoded::encode(address))).unwrap_or_default();
        format!("/?week={monday}{mailbox}")
    }
}

fn monday_of(date: Date) -> Date {
    let days = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(days.days()).unwrap_or(date)
}

/// Draws the page.
pub(super) fn answer(sandbox: &Sandbox, inbound: &Inbound) -> Response<Bytes> {
    let today = Zone::utc().wall(sandbox.now()).date();
    let picture = Picture::new(&inbound.query, today);
    let infos = sandbox.store().mailboxes();
    let entries: Vec<Vec<Entry>> = infos.iter().map(|info| entries(sandbox, info, picture.monday)).collect();
    let mut colours = Colours::default();
    entries.iter().for_each(|entries| colours.add(entries));
    let mailboxes: Vec<Mailbox> =
        infos.iter().zip(&entries).map(|(info, entries)| mailbox(info, entries, picture.monday, &colours)).collect();
    let asked = picture.mailbox.as_ref();
    let shown = asked.and_then(|address| mailboxes.iter().find(|one| one.address.eq_ignore_ascii_case(address)));
    let body = match shown {
        Some(shown) => detail::detail(&picture, &mailboxes, shown),
        None => overview::overview(&picture, &mailboxes),
    };
    let page = frame(&picture, &mailboxes, &sandbox.counts(), &format!("{body}{}", legend(&colours)));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    answer::with_header(answer::html(200, page), "content-security-policy", policy)
}

/// What takes place in a week of a mailbox; nothing of one that cannot be reached.
fn entries(sandbox: &Sandbox, info: &MailboxInfo, monday: Date) -> Vec<Entry> {
    let settings = &info.settings;
    let bounds = bounds(monday, &zone(info));
    bounds.and_then(|(from, to)| sandbox.store().view(&settings.address, None, from, to).ok()).unwrap_or_default()
}

fn zone(info: &MailboxInfo) -> Zone {
    info.settings.zone.clone().unwrap_or_else(Zone::utc)
}

fn mailbox(info: &MailboxInfo, entries: &[Entry], monday: Date, colours: &Colours) -> Mailbox {
    let (settings, zone) = (&info.settings, zone(info));
    Mailbox {
        address: settings.address.clone(),
        name: settings.display_name.clone(),
        zone: zone.id().to_owned(),
        count: info.item_count,
        note: note(info),
        week: week(entries, monday, &zone, colours),
    }
}

/// Such as `on premises, being moved online`.
fn note(info: &MailboxInfo) -> Option<String> {
    let half = match info.settings.half {
        Half::Both => None,
        Half::OnPremises => Some("on premises"),
        Half::Online => Some("online"),
    };
    let state = match (info.settings.state, info.moving_to) {
        (MailboxState::Normal, _) => None,
        (MailboxState::Full, _) => Some("full"),
        (MailboxState::Moving, Some(Half::OnPremises)) => Some("being moved on premises"),
        (MailboxState::Moving, Some(Half::Online)) => Some("being moved online"),
        (MailboxState::Moving, Some(Half::Both) | None) => Some("being moved"),
        (MailboxState::Elsewhere, _) => Some("on another server"),
    };
    let words: Vec<&str> = half.into_iter().chain(state).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn frame(picture: &Picture, mailboxes: &[Mailbox], counts: &Counts, body: &str) -> String {
    let shift = |days: i64| picture.monday.checked_add(days.days()).unwrap_or(picture.monday);
    let shown = picture.mailbox.as_deref();
    let week = picture.monday.strftime("%V");
    let mut html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Week {week} · calsyncd sandbox</title><style>{STYLE}</style></head><body>"
    );
    let _ = write!(
        html,
        "<header><h1><a href=\"{}\">calsyncd sandbox</a><small>simulated Exchange</small></h1><div class=\"facts\">",
        picture.link(picture.monday, None)
    );
    let items: usize = mailboxes.iter().map(|mailbox| mailbox.count).sum();
    let requests: u64 = counts.operations.values().sum();
    for (name, value) in [
        ("items", u64::try_from(items).unwrap_or(u64::MAX)),
        ("requests", requests),
        ("throttled", counts.rejected),
        ("mails sent", counts.mails_sent),
    ] {
        let _ = write!(html, "<span><b>{value}</b> {name}</span>");
    }
    let _ = write!(
        html,
        "</div><div class=\"week\"><a href=\"{}\" title=\"previous week\">‹</a><b>{} – {}, week {week}</b><a href=\"{}\" \
         title=\"next week\">›</a><a href=\"{}\">Today</a></div></header>",
        picture.link(shift(-7), shown),
        picture.monday.strftime("%-d %b"),
        shift(6).strftime("%-d %b %Y"),
        picture.link(shift(7), shown),
        picture.link(monday_of(picture.today), shown),
    );
    if let Some(address) =
        shown.filter(|address| !mailboxes.iter().any(|one| one.address.eq_ignore_ascii_case(address)))
    {
        let _ = write!(html, "<main><p class=\"state\">No mailbox has the address {}.</p></main>", escape(address));
    }
    let _ = write!(html, "<main>{body}</main></body></html>");
    html
}

/// What the colours say.
fn legend(colours: &Colours) -> String {
    let mut html = "<div class=\"legend\">".to_owned();
    for (category, class) in colours.all() {
        let name = if category.is_empty() { "no category" } else { category };
        let _ = write!(html, "<span><span class=\"chip {class}\"></span>{}</span>", escape(name));
    }
    for (class, name) in [("own", "the person's own"), ("c0 free", "free"), ("c0 tentative", "tentative")] {
        let _ = write!(html, "<span><span class=\"chip {class}\"></span>{name}</span>");
    }
    html.push_str("</div>");
    html
}
