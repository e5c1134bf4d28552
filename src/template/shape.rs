//! The shapes that a template may have: what is left of the language when everything is taken away by which a small text
//! could become much work, much memory or deep recursion. Looked at before any parser sees the text.
//!
//! What is left: `{{ expression }}`, `{% if %}`, `{% elif %}`, `{% else %}`, `{% for x in list %}`, comments, filters, flat lists
//! of constants, comparisons, `and`, `or`, `not`, `in`, `~`, `+`, `-`, `/`, `//`, `%`.

use super::{Fault, filters};

/// The most tags of a template.
const TAGS_MAX: usize = 1000;
/// The most words, texts, numbers and signs of a tag.
const TOKENS_MAX: usize = 200;
/// How deep `if` and `for` may be inside one another.
const BLOCKS_DEEP_MAX: usize = 8;
/// How deep `for` may be inside one another.
const LOOPS_DEEP_MAX: usize = 2;
/// The most `elif` of a template.
const ELIF_MAX: usize = 50;
/// How deep brackets may be inside one another.
const BRACKETS_DEEP_MAX: usize = 8;
/// The tags.
const BLOCK_WORDS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];
/// Words that are no names.
const KEYWORDS: [&str; 20] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "recursive",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "block",
    "set",
];
const SIGNS: [&str; 20] =
    ["==", "!=", "<=", ">=", "//", ".", "|", "(", ")", "[", "]", ",", "<", ">", "~", "+", "-", ":", "/", "%"];

/// What a text is as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Template,
    Expression,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Word,
    Text,
    Number,
    Sign,
}

/// A word, text, number or sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) form: Form,
    pub(super) text: &'a str,
    pub(super) offset: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        self.form != Form::Text && self.text == text
    }

    /// Whether it is a name, and no word of the language.
    pub(super) fn is_name(&self) -> bool {
        self.form == Form::Word && !KEYWORDS.contains(&self.text)
    }
}

/// What stands between two delimiters.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    /// Where it begins.
    pub(super) offset: usize,
    /// Whether it is `{% … %}`.
    pub(super) is_block: bool,
    pub(super) tokens: Vec<Token<'a>>,
}

/// The tags of a text, when its shape is one that is let through.
pub(super) fn tags(text: &str, whole: Whole) -> Result<Vec<Tag<'_>>, Fault> {
    let tags = match whole {
        Whole::Expression => {
            let mut scanner = Scanner { text, at: 0 };
            vec![Tag { offset: 0, is_block: false, tokens: scanner.tokens(None)? }]
        }
        Whole::Template => split(text)?,
    };
    check_blocks(&tags)?;
    for tag in &tags {
        check_tag(tag)?;
    }
    Ok(tags)
}

fn split(text: &str) -> Result<Vec<Tag<'_>>, Fault> {
    let mut tags = Vec::new();
    let mut scanner = Scanner { text, at: 0 };
    while let Some(found) = scanner.next_start() {
        let offset = scanner.at + found;
        let end = match text.as_bytes().get(offset + 1) {
            Some(b'#') => {
                let length = text.get(offset + 2..).and_then(|rest| rest.find("#}"));
                let length =
                    length.ok_or_else(|| Fault::new(offset, "the comment does not end", "close it with #}"))?;
                scanner.at = offset + 2 + length + 2;
                continue;
            }
            Some(b'%') => "%}",
            _ => "}}",
        };
        if tags.len() == TAGS_MAX {
            return Err(Fault::new(offset, format!("there are more than {TAGS_MAX} tags"), "shorten the template"));
        }
        scanner.at = offset + 2;
        if scanner.rest().starts_with(['-', '+']) {
            scanner.at += 1;
        }
        if end == "%}" {
            check_word(scanner.rest(), offset)?;
        }
        let tokens = scanner.tokens(Some((end, offset)))?;
        tags.push(Tag { offset, is_block: end == "%}", tokens });
    }
    Ok(tags)
}

/// Only known tags are looked into: of another, nobody knows where it ends.
fn check_word(rest: &str, offset: usize) -> Result<(), Fault> {
    let rest = rest.trim_start_matches(|character: char| character.is_ascii_whitespace());
    let word = rest.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next();
    let word = word.unwrap_or_default();
    if BLOCK_WORDS.contains(&word) {
        return Ok(());
    }
    Err(Fault::new(offset, format!("there is no tag {word:?}"), format!("the tags are {}", BLOCK_WORDS.join(", "))))
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// How far it is to the next `{{`, `{%` or `{#`.
    fn next_start(&self) -> Option<usize> {
        let rest = self.rest().as_bytes();
        rest.windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
    }

    /// The tokens up to and with the end delimiter; without one, up to the end.
    fn tokens(&mut self, end: Option<(&str, usize)>) -> Result<Vec<Token<'a>>, Fault> {
        let mut tokens = Vec::new();
        let mut open = 0_usize;
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|character: char| character.is_ascii_whitespace());
            self.at += rest.len() - trimmed.len();
            if trimmed.is_empty() {
                let Some((delimiter, start)) = end else { return Ok(tokens) };
                return Err(Fault::new(start, "the tag does not end", format!("close it with {delimiter}")));
            }
            if let Some((delimiter, _)) = end {
                let after = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
                if open == 0 && after.starts_with(delimiter) {
                    self.at += trimmed.len() - after.len() + delimiter.len();
                    return Ok(tokens);
                }
            }
            let token = self.token(trimmed)?;
            match token.text {
                "(" | "[" if token.form == Form::Sign => open += 1,
                ")" | "]" if token.form == Form::Sign => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += token.text.len();
            tokens.push(token);
            if tokens.len() > TOKENS_MAX {
                let message = format!("the expression has more than {TOKENS_MAX} parts");
                return Err(Fault::new(token.offset, message, "split it"));
            }
        }
    }

    fn token(&self, rest: &'a str) -> Result<Token<'a>, Fault> {
        let first = rest.as_bytes().first().copied().unwrap_or_default();
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let (form, length) = if first.is_ascii_alphabetic() || first == b'_' {
            (Form::Word, rest.bytes().take_while(is_word).count())
        } else if first.is_ascii_digit() {
            (Form::Number, rest.bytes().take_while(is_word).count())
        } else if first == b'"' || first == b'\'' {
            (Form::Text, self.text_length(rest, first)?)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Form::Sign, sign.len())
        } else {
            let sign: String = rest.chars().take(1).collect();
            let hint = match sign.as_str() {
                "=" => "compare with ==; values cannot be set".to_owned(),
                "{" | "}" => "close the tag where it ends; there are no tables".to_owned(),
                _ => format!("the signs are {}", SIGNS.join(" ")),
            };
            return Err(Fault::new(self.at, format!("{sign:?} has no meaning here"), hint));
        };
        Ok(Token { form, text: rest.get(..length).unwrap_or_default(), offset: self.at })
    }

    fn text_length(&self, rest: &str, quote: u8) -> Result<usize, Fault> {
        let mut escaped = false;
        for (index, byte) in rest.bytes().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                byte if byte == quote => return Ok(index + 1),
                _ => {}
            }
        }
        Err(Fault::new(self.at, "the text does not end", "close it with the quote that it begins with"))
    }
}

/// `if` and `for` that are closed, and not too deep.
fn check_blocks(tags: &[Tag<'_>]) -> Result<(), Fault> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut elifs = 0;
    for tag in tags.iter().filter(|tag| tag.is_block) {
        let word = tag.tokens.first().map_or("", |token| token.text);
        match word {
            "if" | "for" => open.push((word, tag.offset)),
            "endif" | "endfor" if open.pop().map(|(word, _)| word) != word.strip_prefix("end") => {
                return Err(Fault::new(tag.offset, format!("{word} closes nothing"), "close what was opened last"));
            }
            "elif" => elifs += 1,
            _ => {}
        }
        let loops = open.iter().filter(|(word, _)| *word == "for").count();
        if open.len() > BLOCKS_DEEP_MAX || loops > LOOPS_DEEP_MAX || elifs > ELIF_MAX {
            let message = format!(
                "at most {BLOCKS_DEEP_MAX} blocks and {LOOPS_DEEP_MAX} loops stand inside one another, and there are at \
                 most {ELIF_MAX} elif"
            );
            return Err(Fault::new(tag.offset, message, "simplify the template"));
        }
    }
    match open.pop() {
        Some((word, offset)) => {
            Err(Fault::new(offset, format!("{word} is not closed"), format!("close it with {{% end{word} %}}")))
        }
        None => Ok(()),
    }
}

/// What a bracket is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Group,
    Arguments,
    List,
    Index,
}

/// Brackets in pairs and not too deep, commas only where they separate arguments or constants of a list, filters that exist.
fn check_tag(tag: &Tag<'_>) -> Result<(), Fault> {
    let mut open: Vec<Bracket> = Vec::new();
    for (index, token) in tag.tokens.iter().enumerate() {
        let before = |steps: usize| index.checked_sub(steps).and_then(|index| tag.tokens.get(index));
        let fault = |message: &str, hint: &str| Err(Fault::new(token.offset, message, hint));
        if before(1).is_some_and(|before| before.is("|")) {
            if !filters::NAMES.contains(&token.text) {
                let message = format!("there is no filter {:?}", token.text);
                return Err(Fault::new(
                    token.offset,
                    message,
                    format!("the filters are {}", filters::NAMES.join(", ")),
                ));
            }
            continue;
        }
        match (token.form, token.text) {
            (Form::Word, "is") => return fault("there are no tests", "compare with ==, or with nothing for not empty"),
            (Form::Word, "recursive") => return fault("loops do not recurse", "take the word out"),
            (Form::Sign, "(") => {
                let is_filter = before(2).is_some_and(|before| before.is("|"));
                let follows_value =
                    before(1).is_some_and(|before| before.is_name() || before.is(")") || before.is("]"));
                if follows_value && !is_filter {
                    return fault("there are no functions", "a filter is written {{ subject | upper }}");
                }
                open.push(if is_filter { Bracket::Arguments } else { Bracket::Group });
            }
            (Form::Sign, "[") => {
                let follows_value = before(1).is_some_and(|before| {
                    before.is_name() || before.form == Form::Text || before.is(")") || before.is("]")
                });
                open.push(if follows_value { Bracket::Index } else { Bracket::List });
            }
            (Form::Sign, ")" | "]") => {
                let closed = open.pop();
                let round = matches!(closed, Some(Bracket::Group | Bracket::Arguments));
                if closed.is_none() || round != (token.text == ")") {
                    return fault("the bracket closes nothing", "close brackets in the order of their opening");
                }
                continue;
            }
            (Form::Sign, ",") if !matches!(open.last(), Some(Bracket::Arguments | Bracket::List)) => {
                return fault("the comma separates nothing", "a list is written ['a', 'b']");
            }
            _ => {}
        }
        let opens = token.is("[");
        let in_list = if opens { open.iter().rev().nth(1) } else { open.last() } == Some(&Bracket::List);
        if in_list && !matches!(token.form, Form::Text | Form::Number) && !token.is(",") && !token.is("-") {
            return fault("a list holds texts and numbers only", "write it as ['a', 'b']");
        }
        if open.len() > BRACKETS_DEEP_MAX {
            return fault("the brackets are too deep inside one another", "simplify the expression");
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    Err(Fault::new(tag.offset, "a bracket is not closed", "close it"))
}
