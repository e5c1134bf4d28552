//! Links of events: addresses of the web, and no others.

/// The longest link, in characters.
const LENGTH_MAX: usize = 2048;

/// The link that a text is, without the blanks around it.
pub(super) fn link(text: &str) -> Result<&str, &'static str> {
    let link = text.trim();
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        link.get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
            .and_then(|_| link.get(scheme.len()..))
    });
    let Some(rest) = rest else { return Err("it is not an address that begins with https:// or http://") };
    if rest.is_empty() || rest.starts_with(['/', '?', '#', ':']) {
        return Err("it is an address without a server");
    }
    if link.chars().count() > LENGTH_MAX {
        return Err("it is longer than 2048 characters");
    }
    if link.chars().any(is_forbidden) {
        return Err("it has blanks, quotes or control characters in it");
    }
    Ok(link)
}

/// Characters that no address has, and those that make a reader see another address than the one it is.
const fn is_forbidden(character: char) -> bool {
    matches!(
        character,
        '\0'..=' ' | '"' | '<' | '>' | '\u{7f}'..='\u{a0}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3000}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn links_are_addresses_of_the_web() {
        let long = format!("https://a/{}", "x".repeat(2038));
        let too_long = format!("{long}x");
        let cases = [
            (" https://erp.example.test/e/1?a=b&c#d ", true),
            ("HTTP://erp/é", true),
            ("https://[::1]:8080/", true),
            (long.as_str(), true),
            (too_long.as_str(), false),
            ("", false),
            ("https://", false),
            ("https:///path", false),
            ("erp.example.test", false),
            ("javascript:alert(1)", false),
            ("file:///etc/passwd", false),
            ("https://a b", false),
            ("https://a\nb", false),
            ("https://a\"b", false),
            ("https://a\u{202e}b", false),
            ("https://a\0", false),
            ("é", false),
        ];
        for (text, expected) in cases {
            assert_eq!(link(text).is_ok(), expected, "{text:?}");
        }
    }
}
