//! Tokens to a tree, by recursive descent: OR, AND, equality, comparison, unary, primary (P1).

use std::ops::Range;

use super::super::FilterError;
use super::super::verdict::quoted;
use super::lex::{Keyword, Lexer, Token, TokenKind, column};
use super::tree::{Kind, Node, Place};
use super::{MAX_DEPTH, check};

pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token to be read next.
    next: Token,
    /// Where the last token that was read ends.
    end: usize,
    depth: usize,
}

type Parsed = Result<Node, FilterError>;

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, FilterError> {
        let mut lexer = Lexer::new(text);
        let next = lexer.next()?;
        Ok(Self {
            lexer,
            next,
            end: 0,
            depth: 0,
        })
    }

    /// The whole text, to its end: text after a complete expression is refused (P12 a).
    pub(super) fn condition(mut self) -> Parsed {
        let root = self.or()?;
        match self.next.kind {
            TokenKind::End => check::condition(self.text(), root),
            _ => Err(self.unexpected("an operator, AND, OR or the end of the filter")),
        }
    }

    fn or(&mut self) -> Parsed {
        self.joined(Keyword::Or, Self::and, Kind::Any)
    }

    fn and(&mut self) -> Parsed {
        self.joined(Keyword::And, Self::equality, Kind::All)
    }

    /// One part, or several with `keyword` between them.
    fn joined(
        &mut self,
        keyword: Keyword,
        part: fn(&mut Self) -> Parsed,
        join: fn(Vec<Node>) -> Kind,
    ) -> Parsed {
        let first = part(self)?;
        if self.next.kind != TokenKind::Keyword(keyword) {
            return Ok(first);
        }
        let start = first.span.start;
        let mut parts = vec![check::condition(self.text(), first)?];
        while self.eat(&TokenKind::Keyword(keyword))? {
            let next = part(self)?;
            parts.push(check::condition(self.text(), next)?);
        }
        Ok(Node::new(start..self.end, join(parts)))
    }

    fn equality(&mut self) -> Parsed {
        let mut left = self.comparison()?;
        loop {
            let start = left.span.start;
            let kind = match self.next.kind {
                TokenKind::Equal => self.equal(left, false)?,
                TokenKind::NotEqual => self.equal(left, true)?,
                TokenKind::Keyword(Keyword::Is) => {
                    self.advance()?;
                    let negated = self.eat(&TokenKind::Keyword(Keyword::Not))?;
                    self.expect(&TokenKind::Keyword(Keyword::Null), "`NULL` or `NOT NULL`")?;
                    let operand = Box::new(left);
                    Kind::IsNull { negated, operand }
                }
                _ => return Ok(left),
            };
            left = Node::new(start..self.end, kind);
        }
    }

    fn equal(&mut self, left: Node, negated: bool) -> Result<Kind, FilterError> {
        self.advance()?;
        let right = self.comparison()?;
        check::equated(self.text(), &left, &right)?;
        Ok(Kind::Equal {
            negated,
            left: Box::new(left),
            right: Box::new(right),
        })
    }

    fn comparison(&mut self) -> Parsed {
        let mut left = self.unary()?;
        loop {
            let start = left.span.start;
            let kind = match self.next.kind {
                TokenKind::Relation(relation) => {
                    let left = check::ordered(self.text(), left)?;
                    self.advance()?;
                    Kind::Order {
                        relation,
                        left: Box::new(left),
                        right: Box::new(self.ordered_operand()?),
                    }
                }
                TokenKind::Keyword(Keyword::Not) => {
                    self.advance()?;
                    match self.tested(left, true)? {
                        Tested::Yes(kind) => kind,
                        Tested::No(_) => {
                            return Err(self.unexpected(
                                "BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH after NOT",
                            ));
                        }
                    }
                }
                _ => match self.tested(left, false)? {
                    Tested::Yes(kind) => kind,
                    Tested::No(left) => return Ok(left),
                },
            };
            left = Node::new(start..self.end, kind);
        }
    }

    /// The tests that a NOT may stand before: BETWEEN, IN and the CONTAINS family.
    fn tested(&mut self, left: Node, negated: bool) -> Result<Tested, FilterError> {
        let TokenKind::Keyword(keyword) = self.next.kind else {
            return Ok(Tested::No(left));
        };
        let kind = match keyword {
            Keyword::Between => self.between(left, negated)?,
            Keyword::In => self.one_of(left, negated)?,
            Keyword::Contains => self.search(left, negated, Place::Anywhere)?,
            Keyword::StartsWith => self.search(left, negated, Place::Start)?,
            Keyword::EndsWith => self.search(left, negated, Place::End)?,
            _ => return Ok(Tested::No(left)),
        };
        Ok(Tested::Yes(kind))
    }

    fn between(&mut self, value: Node, negated: bool) -> Result<Kind, FilterError> {
        let value = check::ordered(self.text(), value)?;
        self.advance()?;
        let low = self.ordered_operand()?;
        self.expect(
            &TokenKind::Keyword(Keyword::And),
            "AND between the two bounds",
        )?;
        let high = self.ordered_operand()?;
        if !negated {
            check::bounds(self.text(), &low, &high)?;
        }
        Ok(Kind::Between {
            negated,
            value: Box::new(value),
            low: Box::new(low),
            high: Box::new(high),
        })
    }

    fn one_of(&mut self, left: Node, negated: bool) -> Result<Kind, FilterError> {
        let property = Box::new(check::property(self.text(), left)?);
        self.advance()?;
        self.expect(&TokenKind::Open, "`(` after IN")?;
        let mut texts = vec![self.literal_text()?];
        while self.eat(&TokenKind::Comma)? {
            texts.push(self.literal_text()?);
        }
        self.expect(&TokenKind::Close, "`,` or `)`")?;
        Ok(Kind::In {
            negated,
            property,
            texts,
        })
    }

    fn search(&mut self, value: Node, negated: bool, place: Place) -> Result<Kind, FilterError> {
        self.advance()?;
        let wanted = self.literal_text()?;
        Ok(Kind::Search {
            negated,
            place,
            value: Box::new(value),
            wanted,
        })
    }

    fn ordered_operand(&mut self) -> Parsed {
        let operand = self.unary()?;
        check::ordered(self.text(), operand)
    }

    /// Signs and NOT bind tightest (P1). All nesting passes through here, so here the depth is bounded.
    fn unary(&mut self) -> Parsed {
        if self.depth == MAX_DEPTH {
            return Err(FilterError::TooDeep {
                column: column(self.text(), self.next.span.start),
            });
        }
        self.depth += 1;
        let node = self.signed_or_primary();
        self.depth -= 1;
        node
    }

    fn signed_or_primary(&mut self) -> Parsed {
        let start = self.next.span.start;
        let kind = match self.next.kind {
            TokenKind::Plus => {
                self.advance()?;
                self.unary()?.kind
            }
            TokenKind::Minus => {
                self.advance()?;
                Kind::Negate(Box::new(self.unary()?))
            }
            TokenKind::Keyword(Keyword::Not) => {
                self.advance()?;
                let operand = self.unary()?;
                Kind::Not(Box::new(check::condition(self.text(), operand)?))
            }
            _ => self.primary()?,
        };
        Ok(Node::new(start..self.end, kind))
    }

    fn primary(&mut self) -> Result<Kind, FilterError> {
        let kind = match &self.next.kind {
            TokenKind::Open => {
                self.advance()?;
                let inner = self.or()?;
                self.expect(&TokenKind::Close, "`)`")?;
                return Ok(inner.kind);
            }
            TokenKind::Name(name) => Kind::Property(name.clone()),
            TokenKind::Text(text) => Kind::Text(text.clone()),
            TokenKind::Number(number) => Kind::Number(*number),
            TokenKind::Keyword(Keyword::Null) => Kind::Null,
            TokenKind::Keyword(Keyword::True) => Kind::Bool(true),
            TokenKind::Keyword(Keyword::False) => Kind::Bool(false),
            _ => return Err(self.unexpected("a property, a value, NOT or `(`")),
        };
        self.advance()?;
        Ok(kind)
    }

    fn literal_text(&mut self) -> Result<String, FilterError> {
        match &self.next.kind {
            TokenKind::Text(text) => {
                let text = text.clone();
                self.advance()?;
                Ok(text)
            }
            _ => Err(self.unexpected("a text in single quotes")),
        }
    }

    fn text(&self) -> &'a str {
        self.lexer.text()
    }

    fn advance(&mut self) -> Result<(), FilterError> {
        self.end = self.next.span.end;
        self.next = self.lexer.next()?;
        Ok(())
    }

    fn eat(&mut self, wanted: &TokenKind) -> Result<bool, FilterError> {
        let found = self.next.kind == *wanted;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, wanted: &TokenKind, expected: &'static str) -> Result<(), FilterError> {
        if self.eat(wanted)? {
            return Ok(());
        }
        Err(self.unexpected(expected))
    }

    /// Refuses the next token.
    fn unexpected(&self, expected: &'static str) -> FilterError {
        let Range { start, end } = self.next.span;
        let found = match self.next.kind {
            TokenKind::End => "the end of the filter".to_owned(),
            _ => quoted(self.text().get(start..end).unwrap_or_default()),
        };
        FilterError::Unexpected {
            column: column(self.text(), start),
            expected,
            found,
            hint: hint(&self.next.kind),
        }
    }
}

enum Tested {
    Yes(Kind),
    /// Nothing of the kind follows; the operand is handed back.
    No(Node),
}

/// What people of other dialects meant by a token that has no place here (P2).
fn hint(found: &TokenKind) -> Option<&'static str> {
    match found {
        TokenKind::Equal => Some("equality is a single `=`"),
        TokenKind::Plus | TokenKind::Minus | TokenKind::Stray('*' | '/' | '%') => {
            Some("there is no arithmetic, and names have no dashes")
        }
        TokenKind::Stray('"') => Some("text stands in single quotes, as in `a = 'x'`"),
        TokenKind::Stray('!') => Some("not equal is `<>`"),
        TokenKind::Stray('.') => Some("names have no dots: letters, digits, `_` and `$` only"),
        TokenKind::Stray('&') => Some("write AND"),
        TokenKind::Stray('|') => Some("write OR"),
        TokenKind::Stray(letter) if letter.is_alphabetic() => {
            Some("names are ASCII: letters, digits, `_` and `$`; text stands in single quotes")
        }
        TokenKind::Name(name) if name.eq_ignore_ascii_case("like") => {
            Some("there is no LIKE: use CONTAINS, STARTSWITH or ENDSWITH")
        }
        _ => None,
    }
}
