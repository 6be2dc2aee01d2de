//! Builds a condition out of tokens: `||` binds weakest, then `&&`, then comparisons.

use super::lexer::{Placed, Token, tokens};
use super::{Expression, ExpressionError, Pattern, Term, compile};

/// Bounds nested parentheses, and with them the stack.
const MAX_DEPTH: usize = 50;

/// Parses a condition.
pub fn parse(source: &str) -> Result<Expression, ExpressionError> {
    let tokens = tokens(source)?;
    let mut parser = Parser { source, tokens: &tokens, next: 0, depth: 0 };
    let root = parser.any()?;
    if parser.peek().is_some() {
        return Err(parser.error("an operator is missing"));
    }
    Ok(Expression { source: source.to_owned(), root })
}

struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Placed],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    fn error(&self, message: &str) -> ExpressionError {
        let bytes = self.tokens.get(self.next).map_or(self.source.len(), |(_, at)| *at);
        ExpressionError { message: message.to_owned(), column: self.source[..bytes].chars().count() }
    }

    fn any(&mut self) -> Result<Term, ExpressionError> {
        let mut terms = vec![self.all()?];
        while self.take(&Token::Or) {
            terms.push(self.all()?);
        }
        Ok(single_or(terms, Term::Any))
    }

    fn all(&mut self) -> Result<Term, ExpressionError> {
        let mut terms = vec![self.comparison()?];
        while self.take(&Token::And) {
            terms.push(self.comparison()?);
        }
        Ok(single_or(terms, Term::All))
    }

    fn comparison(&mut self) -> Result<Term, ExpressionError> {
        let left = self.operand()?;
        let Some(Token::Compare(how)) = self.peek() else {
            return Ok(left);
        };
        let how = *how;
        self.next += 1;
        let right = self.operand()?;
        if matches!(self.peek(), Some(Token::Compare(_))) {
            return Err(self.error("comparisons cannot be chained"));
        }
        Ok(Term::Compare(how, Box::new(left), Box::new(right)))
    }

    fn operand(&mut self) -> Result<Term, ExpressionError> {
        let term = match self.peek() {
            Some(Token::Open) => return self.group(),
            Some(Token::Null) => Term::Null,
            Some(Token::Text(text)) => Term::Text(text.clone()),
            Some(Token::Variable(name)) => Term::Variable(name.clone()),
            Some(Token::Pattern(source)) => self.pattern(source)?,
            _ => return Err(self.error("a value is missing")),
        };
        self.next += 1;
        Ok(term)
    }

    fn pattern(&self, source: &str) -> Result<Term, ExpressionError> {
        match compile(source) {
            Some(Ok(regex)) => Ok(Term::Pattern(Box::new(Pattern { regex, source: source.to_owned() }))),
            _ => Err(self.error("the regular expression is not valid")),
        }
    }

    fn group(&mut self) -> Result<Term, ExpressionError> {
        self.next += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("parentheses are nested too deep"));
        }
        let inner = self.any()?;
        self.depth -= 1;
        if self.take(&Token::Close) { Ok(inner) } else { Err(self.error("a closing parenthesis is missing")) }
    }
}

fn single_or(mut terms: Vec<Term>, join: fn(Vec<Term>) -> Term) -> Term {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            join(terms)
        }
        None => Term::Null,
    }
}
