//! Templates that are right, wrong and hostile.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;

use super::{BODY_BYTES_MAX, Fault, Given, GivenTexts, Kind, LINE_BYTES_MAX, TEMPLATE_BYTES_MAX, Templates, Values};

fn values() -> Values {
    let [mut values, _] = Values::samples(Kind::Appointment, "team", &BTreeSet::new());
    values.data = Arc::new(BTreeMap::from([
        ("customer".to_owned(), "ACME & Sons".to_owned()),
        ("phase one".to_owned(), "design".to_owned()),
    ]));
    values
}

fn subject(text: &str) -> Given {
    Given { every: GivenTexts { subject: Some(text.to_owned()), ..GivenTexts::default() }, ..Given::default() }
}

fn body(text: &str) -> Given {
    Given { every: GivenTexts { body: Some(text.to_owned()), ..GivenTexts::default() }, ..Given::default() }
}

fn compile(given: Given) -> Templates {
    Templates::compile("team", given).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn fault(given: Given) -> (String, Fault) {
    let mut faults = Templates::compile("team", given.clone()).expect_err(&format!("{given:?}"));
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

#[test]
fn templates_say_what_the_event_says() {
    let values = Arc::new(values());
    let cases = [
        ("{{ data.customer }}: {{ subject }}", "ACME & Sons: Kick-off"),
        ("{{ data['phase one'] | upper }}{{ data.missing }}", "DESIGN"),
        ("{{ data.missing | default('–') }}", "–"),
        ("{{ start }} {{ end.time }} {{ start.day | pad(2) }}/{{ start.month }}", "2026-11-23T09:00 10:00 23/11"),
        ("{% if start.hour < 12 %}morning{% elif all_day %}day{% else %}afternoon{% endif %}", "morning"),
        ("{% for name in categories %}{{ loop.index }}{{ name }} {% endfor %}", "1Project 2Travel "),
        ("{{ categories | join(', ') }}", "Project, Travel"),
        ("{{ categories | length }}{{ subject | length }}{{ categories | first }}{{ subject | last }}", "28Projectf"),
        ("{{ subject | replace('-', ' ') | title | truncate(5) }}", "Kick…"),
        ("{{ subject[:4] }}{{ subject | split('-') | last }}", "Kickoff"),
        ("{{ kind }} {{ job }} {{ source }} {{ person }} {{ mailbox }}", "appointment team inbox ana ana@example.org"),
        ("{# {{ nothing }} #}{{ '{{' ~ (1 + 2) }}", "{{3"),
        ("{{ 'Travel' in categories and show_as in ['busy', 'free'] }}", "True"),
        ("{{ url | link }} {{ '<' | e }}", "https://erp.example.org/events/4711 &lt;"),
        ("a {%- if not location -%} x {%- endif +%} b", "a b"),
        ("{{ body_type }}{{ br }}{{ 'no' if false }}{{ all_day }}", "text\nFalse"),
    ];
    for (text, expected) in cases {
        assert_eq!(compile(subject(text)).subject(&values).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn bodies_of_html_escape_what_is_inserted() {
    let text = "{{ body }}|{{ data.customer }}|{{ url | link }}|{{ br }}{{ body_type }}";
    let mut values = values();
    values.url = "https://x.test/?a=1&b=\"2\"".to_owned();
    let plain = Arc::new(values.clone());
    assert_eq!(
        compile(body(text)).body(&plain).unwrap(),
        (format!("Agenda <draft>|ACME & Sons|{}|\ntext", values.url), false)
    );
    let anchor = "<a href=\"https://x.test/?a=1&amp;b=&quot;2&quot;\">https://x.test/?a=1&amp;b=&quot;2&quot;</a>";
    let as_html = Given { body_html: true, ..body(text) };
    assert_eq!(
        compile(as_html).body(&plain).unwrap(),
        (format!("Agenda &lt;draft&gt;|ACME &amp; Sons|{anchor}|<br>\nhtml"), true)
    );
    values.body = Arc::from("<p>Agenda</p>");
    values.body_html = true;
    values.url = "javascript:alert(1)//<".to_owned();
    let (rendered, html) = compile(body(text)).body(&Arc::new(values)).unwrap();
    assert!(html && rendered.starts_with("<p>Agenda</p>|ACME &amp; Sons|javascript:alert(1)"), "{rendered}");
    assert!(!rendered.contains("<a ") && rendered.contains("&lt;"), "{rendered}");
}

#[test]
fn links_stand_after_the_body_and_fill_an_empty_location() {
    let mut values = values();
    let templates = Templates::default();
    let text =
        "Agenda <draft>\n\nOnline meeting: https://meet.example.org/4711\nSource: https://erp.example.org/events/4711";
    assert_eq!(templates.body(&Arc::new(values.clone())).unwrap(), (text.to_owned(), false));
    assert_eq!(templates.location(&Arc::new(values.clone())).unwrap(), "Lyon");
    values.location = String::new();
    values.url = values.online_meeting_url.clone();
    assert_eq!(templates.location(&Arc::new(values.clone())).unwrap(), "https://meet.example.org/4711");
    let (shown, _) = templates.body(&Arc::new(values.clone())).unwrap();
    assert_eq!(shown.matches("https://").count(), 1, "{shown}");
    // A location is cut at 255 characters, and half a link leads nowhere.
    values.online_meeting_url = format!("https://meet.example.org/{}", "x".repeat(300));
    assert_eq!(templates.location(&Arc::new(values)).unwrap(), "");
}

#[test]
fn templates_of_a_kind_go_before_those_of_every_kind() {
    let own = GivenTexts {
        subject: Some("S {{ subject }}".to_owned()),
        categories: Some(vec!["{{ data.customer }}".to_owned(), " \n ".to_owned(), "A\nB".to_owned()]),
        ..GivenTexts::default()
    };
    let templates = compile(Given { schedule: own, ..subject("E {{ subject }}") });
    let mut values = values();
    assert_eq!(templates.subject(&Arc::new(values.clone())).unwrap(), "E Kick-off");
    assert_eq!(templates.categories(&Arc::new(values.clone())).unwrap(), ["Project", "Travel"]);
    values.kind = Kind::Schedule;
    assert_eq!(templates.subject(&Arc::new(values.clone())).unwrap(), "S Kick-off");
    assert_eq!(templates.categories(&Arc::new(values)).unwrap(), ["ACME & Sons", "A", "B"]);
}

#[test]
fn an_expression_makes_an_event_private() {
    let cases = [
        ("'Project' in categories", true),
        ("'Leave' in categories or data.customer == 'ACME & Sons'", true),
        ("data.customer", true),
        ("data.nothing", false),
        ("not subject\n  or start.hour >= 12", false),
        ("'%}' in subject", false),
    ];
    for (expression, expected) in cases {
        let templates = compile(Given { private_when: Some(expression.to_owned()), ..Given::default() });
        assert_eq!(templates.is_private(&Arc::new(values())), Ok(expected), "{expression}");
    }
}

#[test]
fn faults_say_where_and_what_to_do() {
    let cases = [
        ("{{ subjet }}", 3, "did you mean `subject`?"),
        ("ok\n{{ data.a }}{% if titel %}{% endif %}", 21, "there is no value `titel`"),
        ("{{ start.dat }}", 9, "its parts are date, time"),
        ("{{ subject.upper }}", 11, "has no part"),
        ("{{ subject | uper }}", 13, "there is no filter"),
        ("{{ subject | upper", 0, "does not end"),
        ("{{ subject }", 11, "has no meaning"),
        ("{% if subject %}", 0, "if is not closed"),
        ("{% endif %}", 0, "closes nothing"),
        ("{% set x = 1 %}", 0, "there is no tag"),
        ("{% raw %}{{{% endraw %}", 0, "there is no tag"),
        ("{% include 'a' %}", 0, "there is no tag"),
        ("{% autoescape false %}{% endautoescape %}", 0, "there is no tag"),
        ("{{ range(10) }}", 8, "there are no functions"),
        ("{{ subject.replace('a', 'b') }}", 18, "there are no functions"),
        ("{{ subject is defined }}", 11, "there are no tests"),
        ("{{ data }}", 3, "name one field"),
        ("{{ 'x' in data }}", 10, "name one field"),
        ("{{ data.a.b }}", 3, "name one field"),
        ("{{ (subject, body) }}", 11, "separates nothing"),
        ("{{ [subject] }}", 4, "texts and numbers only"),
        ("{{ [['a'], 'b'] }}", 4, "texts and numbers only"),
        ("{{ ['a'] * 9 }}", 9, "has no meaning"),
        ("{{ {'a': 1} }}", 3, "has no meaning"),
        ("{{ 'abc }}", 3, "does not end"),
        ("{# abc", 0, "comment"),
        ("{% for subject in categories %}{% endfor %}", 7, "name of an element"),
        ("{% for a in categories %}{% endfor %}{{ a }}", 40, "there is no value `a`"),
        ("{% for a in categories recursive %}{% endfor %}", 23, "do not recurse"),
        ("{{ subject subject }}", 11, "unexpected"),
        ("a\n{% if %}{% endif %}", 8, "unexpected"),
        ("a\n{{ start + 1 }}", 5, "sample event"),
        ("{{ categories | upper }}", 16, "sample event"),
        ("{{ subject | replace('', 'b') }}", 13, "sample event"),
    ];
    let mut wrong = Vec::new();
    for (text, offset, words) in cases {
        let (key, fault) = fault(subject(text));
        assert_eq!(key, "templates.subject");
        let said = format!("{} ({})", fault.message, fault.hint);
        if !said.contains(words) || fault.offset != offset {
            wrong.push(format!("{text}: {} {said}", fault.offset));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (key, _) = fault(Given { private_when: Some("data.a ==".to_owned()), ..Given::default() });
    assert_eq!(key, "private_when");
    for expression in ["x) %}{% if (y", "subject) or (subject", "{{ subject }}", "", "a }}", "subject #}"] {
        fault(Given { private_when: Some(expression.to_owned()), ..Given::default() });
    }
}

/// Templates that want much of the machine.
fn hostile() -> Vec<String> {
    let many = |text: &str, count: usize| text.repeat(count);
    // As often as a rendering has work for.
    let often = |text: &str| {
        let list = "in body[:1900] | split('e') %}";
        format!("{{% for x {list}{{% for y {list}{text}{{% endfor %}}{{% endfor %}}")
    };
    let fits = |text: &str| text.repeat(TEMPLATE_BYTES_MAX / text.len());
    vec![
        many("{{ subject }}", 100_000),
        format!("{{{{ {}subject }}}}", many("-", 16_000)),
        format!("{{{{ {}subject }}}}", many("not ", 4_000)),
        format!("{{{{ {}subject{} }}}}", many("(", 8_000), many(")", 8_000)),
        format!("{{{{ {}1{} }}}}", many("[", 8_000), many("]", 8_000)),
        format!("{{{{ 1{} }}}}", many("+1", 8_000)),
        format!("{{{{ subject{} }}}}", many("|e", 8_000)),
        format!("{{{{ subject{} }}}}", many(".a", 8_000)),
        format!("{{{{ body{} }}}}", many("~body", 99)),
        format!("{{{{ body{} }}}}", many("|replace('e', 'eeeeeeeeeeeeeeeeeeeeeeeeee')", 25)),
        format!("{{{{ subject{} }}}}", many("|upper", 66)),
        fits("{% if subject %}"),
        format!("{{% if subject %}}{}{{% endif %}}", many("{% elif subject %}", 800)),
        format!("{}{{{{ body == body }}}}{}", many("{% for x in body|split('e') %}", 2), many("{% endfor %}", 2)),
        format!("{}{{{{ body }}}}{}", many("{% for x in body|split('e') %}", 2), many("{% endfor %}", 2)),
        often("{% if body == body %}{% endif %}"),
        often("{% if 'x' in body %}{% endif %}"),
        often("{% if (body or url) < body %}{% endif %}"),
        often("{% if categories == categories %}{{ categories }}{% endif %}"),
        often("{% if body | length > 1 %}{% endif %}"),
        often("{{ body[:1] }}{{ body[-1:] }}{{ body | truncate(1) }}{{ body | first }}"),
        fits("{{ body }}"),
        fits("{{ body|upper }}"),
        fits("{{"),
        fits("{% "),
        fits("{#"),
        fits("'"),
        format!("{{{{ subject|pad(99999999999) }}}}{{{{ subject|truncate({}) }}}}", u64::MAX),
        format!("{{{{ 1{} }}}}", many("0", 5_000)),
        "{{ 1e999999999 }}{{ 9223372036854775807 + 9223372036854775807 }}{{ 1 // 0 }}".to_owned(),
        "{{ body[::-1] }}{{ body[::9999999999999] }}{{ body[-9999999999:] }}".to_owned(),
        "{{ 'e' in body and body in body }}".to_owned(),
    ]
}

#[test]
fn hostile_templates_stay_within_limits() {
    // Less stack than a thread of the daemon has: what is too deep would end the test.
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(|| {
        let mut values = values();
        values.body = Arc::from("een ".repeat(256 * 1024));
        let values = Arc::new(values);
        for text in hostile() {
            for given in [subject(&text), body(&text), Given { private_when: Some(text.clone()), ..Given::default() }] {
                let Ok(templates) = Templates::compile("team", given) else { continue };
                let start: String = text.chars().take(60).collect();
                assert!(templates.subject(&values).map_or(0, |text| text.len()) <= LINE_BYTES_MAX, "{start}");
                assert!(templates.body(&values).map_or(0, |(text, _)| text.len()) <= BODY_BYTES_MAX, "{start}");
                let _ = templates.is_private(&values);
            }
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn a_failed_rendering_tells_nothing_of_the_event() {
    let mut secret = values();
    secret.subject = "Secret".to_owned();
    secret.data = Arc::new(BTreeMap::from([("x".to_owned(), "Secret".to_owned())]));
    let secret = Arc::new(secret);
    let cases = [
        ("a\n{{ subject }}{% if data.x == 'Secret' %}{{ subject + 1 }}{% endif %}", "in its line 2"),
        ("{% if data.x == 'Secret' %}{{ categories | upper }}{% endif %}", "not of the form"),
        (
            "{% for a in categories %}{% for b in (subject ~ body) | split('e') %}{{ body }}{{ body }}{% endfor %}{% endfor %}",
            "too",
        ),
    ];
    for (text, words) in cases {
        let mut values = (*secret).clone();
        values.body = Arc::from("Secret ".repeat(10_000));
        let error = compile(subject(text)).subject(&Arc::new(values)).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains(words) && said.contains("templates.subject") && !said.contains("Secret"), "{said}");
    }
}

proptest! {
    #[test]
    fn nothing_that_is_written_panics_or_grows(
        text in "[a-z{}%#()\\[\\]|.,'\" ~=<>+*/:!0-9\n-]{0,60}|(\\{\\{|\\}\\}|\\{%|%\\}|if |else|endif|for |in |endfor|subject|body|data\\.x|categories|\\||upper|join|\\('a'\\)|~|==|\\[|\\]|\\(|\\)|,|'a'|1| |é🎉){0,40}",
        content in "\\PC{0,40}",
    ) {
        let mut values = values();
        values.subject = content.clone();
        values.body = Arc::from(content.as_str());
        let values = Arc::new(values);
        for given in [subject(&text), body(&text), Given { private_when: Some(text.clone()), ..Given::default() }] {
            match Templates::compile("team", given) {
                Ok(templates) => {
                    let _ = (templates.subject(&values), templates.is_private(&values), templates.categories(&values));
                    prop_assert!(templates.body(&values).map_or(0, |(text, _)| text.len()) <= BODY_BYTES_MAX);
                }
                Err(faults) => prop_assert!(faults.iter().all(|(_, fault)| text.is_char_boundary(fault.offset))),
            }
        }
    }
}
