//! Bodies, and what Exchange makes of them before it gives them back.

/// A body as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Text or HTML.
    pub kind: BodyKind,
    /// The content, as it was sent.
    pub sent: String,
}

/// The kind of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum BodyKind {
    Text,
    Html,
}

impl Body {
    /// A text body.
    #[must_use]
    pub fn text(sent: impl Into<String>) -> Self {
        Self { kind: BodyKind::Text, sent: sent.into() }
    }

    /// An HTML body.
    #[must_use]
    pub fn html(sent: impl Into<String>) -> Self {
        Self { kind: BodyKind::Html, sent: sent.into() }
    }

    /// What a reader is given who asks for `kind`: never the bytes that were sent, so that nobody compares with the echo.
    #[must_use]
    pub fn read_back(&self, kind: BodyKind) -> String {
        match (self.kind, kind) {
            (BodyKind::Text, BodyKind::Text) => tidy_text(&self.sent),
            (BodyKind::Html, BodyKind::Html) => wrap(&sanitise(inner(&self.sent))),
            (BodyKind::Html, BodyKind::Text) => tidy_text(&strip_tags(&sanitise(inner(&self.sent)))),
            (BodyKind::Text, BodyKind::Html) => wrap(&escape(&tidy_text(&self.sent)).replace("\r\n", "<br>\r\n")),
        }
    }
}

/// Lines end in CRLF, and white space at the end of a line and of the text is gone.
fn tidy_text(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = unix.trim_end().split('\n').map(str::trim_end).collect();
    lines.join("\r\n")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The page that Exchange puts round every fragment.
fn wrap(fragment: &str) -> String {
    format!(
        "<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n</head>\r\n\
         <body>\r\n{}\r\n</body>\r\n</html>\r\n",
        fragment.trim()
    )
}

/// What stands between the `body` tags, or the whole.
fn inner(html: &str) -> &str {
    let lower = html.to_ascii_lowercase();
    let begin = lower.find("<body").and_then(|at| lower[at..].find('>').map(|end| at + end + 1)).unwrap_or(0);
    let end = lower.rfind("</body").filter(|end| *end >= begin).unwrap_or(html.len());
    &html[begin..end]
}

/// Script, comments, event handlers and `javascript:` addresses are removed.
fn sanitise(html: &str) -> String {
    let mut clean = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = removed_element(rest) {
            rest = &rest[after..];
            continue;
        }
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        clean.push_str(&sanitise_tag(&rest[..end]));
        rest = &rest[end..];
    }
    clean.push_str(rest);
    clean
}

/// Where an element that is not kept ends, when `html` begins with one.
fn removed_element(html: &str) -> Option<usize> {
    for (open, close) in [("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->")] {
        if html.get(..open.len()).is_some_and(|start| start.eq_ignore_ascii_case(open)) {
            return Some(html.to_ascii_lowercase().find(close).map_or(html.len(), |at| at + close.len()));
        }
    }
    None
}

fn sanitise_tag(tag: &str) -> String {
    let lower = tag.to_ascii_lowercase();
    if !lower.contains(" on") && !lower.contains("javascript:") {
        return tag.to_owned();
    }
    let name_end = tag.find([' ', '\t', '\r', '\n', '>']).unwrap_or(tag.len());
    format!("{}>", &tag[..name_end])
}

/// The text of a fragment: breaks and paragraphs are line ends.
fn strip_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        let tag = rest[..end].to_ascii_lowercase();
        if ["<br", "</p", "</div", "</li", "</tr"].iter().any(|name| tag.starts_with(name)) {
            text.push('\n');
        }
        rest = &rest[end..];
    }
    text.push_str(rest);
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
