//! The words of OData expressions: `$filter` and `$expand`.

use super::{super::store::PropertyName, error::GraphError, property_id::property_name};

/// A word of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a number, a date or a keyword.
    Word(String),
    /// A text between quotes.
    Text(String),
    /// One of `( ) : , =`.
    Sign(char),
}

/// Splits an expression into words.
pub(super) fn tokens(expression: &str) -> Result<Vec<Token>, GraphError> {
    let mut found = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            ' ' | '\t' => {}
            '(' | ')' | ':' | ',' | '=' => found.push(Token::Sign(first)),
            '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next() {
                        Some('\'') if rest.peek() == Some(&'\'') => {
                            rest.next();
                            text.push('\'');
                        }
                        Some('\'') => break,
                        Some(other) => text.push(other),
                        None => return Err(bad(expression)),
                    }
                }
                found.push(Token::Text(text));
            }
            _ => {
                let mut word = String::from(first);
                // A date has colons; a name ends at one.
                let is_date = first.is_ascii_digit();
                while let Some(next) = rest.next_if(|next| !" \t(),='".contains(*next) && (is_date || *next != ':')) {
                    word.push(next);
                }
                found.push(Token::Word(word));
            }
        }
    }
    Ok(found)
}

/// An expression that cannot be read.
pub(super) fn bad(expression: &str) -> GraphError {
    GraphError::new(400, "BadRequest", format!("Invalid expression '{expression}'."))
}

/// A reader of words.
pub(super) struct Reader<'a> {
    expression: &'a str,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(expression: &'a str) -> Result<Self, GraphError> {
        Ok(Self { expression, tokens: tokens(expression)?.into_iter().peekable() })
    }

    pub(super) fn bad(&self) -> GraphError {
        bad(self.expression)
    }

    pub(super) fn is_done(&mut self) -> bool {
        self.tokens.peek().is_none()
    }

    /// Takes the next word if it is this sign.
    pub(super) fn take_sign(&mut self, sign: char) -> bool {
        self.tokens.next_if_eq(&Token::Sign(sign)).is_some()
    }

    /// Takes the next word if it is this keyword, in any case.
    pub(super) fn take_word(&mut self, keyword: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))).is_some()
    }

    pub(super) fn sign(&mut self, sign: char) -> Result<(), GraphError> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.bad()) }
    }

    pub(super) fn word(&mut self) -> Result<String, GraphError> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            Some(Token::Text(_) | Token::Sign(_)) | None => Err(self.bad()),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, GraphError> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(text),
            Some(Token::Word(_) | Token::Sign(_)) | None => Err(self.bad()),
        }
    }
}

/// What `$expand` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expand {
    /// The extended properties: the ids as they were asked for, and what they name.
    pub(super) properties: Vec<(String, PropertyName)>,
    /// `exceptionOccurrences`.
    pub(super) exception_occurrences: bool,
}

/// Reads `$expand`.
pub(super) fn expand(expression: &str) -> Result<Expand, GraphError> {
    let mut reader = Reader::new(expression)?;
    let mut expand = Expand::default();
    loop {
        match reader.word()?.as_str() {
            "singleValueExtendedProperties" => {
                reader.sign('(')?;
                if reader.word()? != "$filter" {
                    return Err(reader.bad());
                }
                reader.sign('=')?;
                loop {
                    let braced = reader.take_sign('(');
                    if !reader.take_word("id") || !reader.take_word("eq") {
                        return Err(reader.bad());
                    }
                    let id = reader.text()?;
                    let name = property_name(&id)?;
                    expand.properties.push((id, name));
                    if braced {
                        reader.sign(')')?;
                    }
                    if !reader.take_word("or") {
                        break;
                    }
                }
                reader.sign(')')?;
            }
            "exceptionOccurrences" => expand.exception_occurrences = true,
            other => {
                let message = format!("Could not find a property named '{other}' to expand.");
                return Err(GraphError::new(400, "BadRequest", message));
            }
        }
        if reader.is_done() {
            return Ok(expand);
        }
        reader.sign(',')?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const KEY: &str = "String {0ab89da0-c8e5-4849-914a-1396b47752b5} Name SourceKey";
    const OWNER: &str = "String {0ab89da0-c8e5-4849-914a-1396b47752b5} Name Owner";

    #[test]
    fn an_expansion_keeps_the_ids_as_they_were_asked_for() {
        let asked =
            format!("singleValueExtendedProperties($filter=id eq '{KEY}' or id eq '{OWNER}'),exceptionOccurrences");
        let found = expand(&asked).unwrap();
        assert_eq!(found.properties.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), [KEY, OWNER]);
        assert!(found.exception_occurrences);
        for bad in
            ["attachments", "singleValueExtendedProperties", "singleValueExtendedProperties($filter=id eq 'x')", ""]
        {
            assert!(expand(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn quotes_are_doubled_inside_texts() {
        assert_eq!(tokens("a eq 'it''s'").unwrap()[2], Token::Text("it's".into()));
        assert!(tokens("a eq 'open").is_err());
    }
}
