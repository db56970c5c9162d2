//! From statements to the graph: names resolved, indices and sums written out, definitions put in place.

mod indices;
mod names;

use super::ast::{Condition, Expr, ExprKind, Factor, Reduction, Role, Sign, Statement};
use super::functions::{self, Value};
use super::graph::{Graph, Id, Table};
use super::parser::{RESERVED, parse_expression};
use crate::error::{Error, Result};
use names::count;
use std::cell::Cell;

/// Extents of a parameter: empty for a scalar, `[n]` for a vector, `[rows, columns]` for a matrix.
pub type Shape = Vec<usize>;

/// The names that equations may use besides their own definitions.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// State variables in order: scalars (`None`) and vectors.
    pub states: Vec<(String, Option<usize>)>,
    /// Parameters in order.
    pub parameters: Vec<(String, Shape)>,
    /// Whole numbers that fix sizes.
    pub structure: Vec<(String, i64)>,
}

/// Limit on nodes and on expansion steps; far above any system that can be integrated sensibly.
const LARGEST: usize = 4_000_000;
/// Limit on nesting of definitions and expressions.
const DEEPEST: usize = 600;

#[derive(Clone, Debug)]
enum Symbol {
    State { first: usize, size: Option<usize> },
    Parameter { first: usize, shape: Shape },
    Structure(i64),
    Definition(usize),
}

/// What the names mean at one place of the text.
#[derive(Clone)]
struct Frame<'a> {
    text: &'a str,
    indices: Vec<(&'a str, i64)>,
    arguments: Vec<(&'a str, Id)>,
    /// How deep the expression is that is being written out here.
    depth: Cell<usize>,
}

/// Turns statements and expressions over given symbols into nodes of a graph.
pub struct Expander<'a> {
    /// The graph that grows.
    pub graph: Graph,
    /// Delay expressions, each once.
    pub delays: Vec<Id>,
    /// Delayed terms: (flattened state index, delay index).
    pub delayed: Vec<(usize, usize)>,
    text: &'a str,
    statements: &'a [Statement],
    symbols: Table<String, Symbol>,
    /// What each definition is, for each set of its indices asked for.
    values: Vec<Table<Vec<i64>, Id>>,
    /// How far the indices of a definition run, by its number and their place.
    ranges: Table<(usize, usize), Option<i64>>,
    work: usize,
}

impl<'a> Expander<'a> {
    /// Declares the symbols and the local definitions among `statements`, parsed from `text`.
    ///
    /// # Errors
    /// If a name is declared twice or shadows a word of the language, or definitions form a cycle.
    pub fn new(symbols: &Symbols, text: &'a str, statements: &'a [Statement]) -> Result<Self> {
        let mut table: Table<String, Symbol> = Table::default();
        let mut declare = |name: &str, symbol: Symbol| -> Result<()> {
            if RESERVED.contains(&name) || functions::find(name).is_some() {
                return Err(Error::value(format!("`{name}` is a word of the language and cannot name a variable")));
            }
            match table.insert(name.to_owned(), symbol) {
                None => Ok(()),
                Some(_) => Err(Error::value(format!("`{name}` is declared twice"))),
            }
        };
        let mut first = 0;
        for (name, size) in &symbols.states {
            declare(name, Symbol::State { first, size: *size })?;
            first += size.unwrap_or(1);
        }
        let mut first = 0;
        for (name, shape) in &symbols.parameters {
            declare(name, Symbol::Parameter { first, shape: shape.clone() })?;
            first += shape.iter().product::<usize>();
        }
        for (name, value) in &symbols.structure {
            declare(name, Symbol::Structure(*value))?;
        }
        for (i, statement) in statements.iter().enumerate() {
            if statement.role == Role::Local {
                declare(&statement.name, Symbol::Definition(i))
                    .map_err(|error| Error::at(text, statement.at, error.to_string()))?;
            }
        }
        let mut expander = Self {
            graph: Graph::new(),
            delays: Vec::new(),
            delayed: Vec::new(),
            text,
            statements,
            symbols: table,
            values: vec![Table::default(); statements.len()],
            ranges: Table::default(),
            work: 0,
        };
        // Scalar definitions are expanded here, each after those it uses, so that a long chain of them is not deep.
        for i in expander.definition_order()? {
            let statement = &statements[i];
            if statement.indices.is_empty() && statement.arguments.is_empty() {
                let id = expander.expand(&statement.body, &expander.outermost())?;
                expander.values[i].insert(Vec::new(), id);
            }
        }
        Ok(expander)
    }

    fn outermost(&self) -> Frame<'a> {
        Frame { text: self.text, indices: Vec::new(), arguments: Vec::new(), depth: Cell::new(0) }
    }

    /// The right-hand side of a statement with its indices set.
    pub fn statement(&mut self, statement: &'a Statement, indices: &[i64]) -> Result<Id> {
        let mut frame = self.outermost();
        frame.indices = statement.indices.iter().map(String::as_str).zip(indices.iter().copied()).collect();
        self.expand(&statement.body, &frame)
    }

    /// An expression outside the statements, such as an observable.
    pub fn expression(&mut self, text: &str) -> Result<Id> {
        let body = parse_expression(text)?;
        let frame = Frame { text, indices: Vec::new(), arguments: Vec::new(), depth: Cell::new(0) };
        self.expand(&body, &frame)
    }

    /// Whether `id` is free of state, delayed terms and time.
    pub fn is_fixed(&self, id: Id) -> bool {
        self.graph.fixed()[id.0 as usize]
    }

    fn charge(&mut self, amount: usize, frame: &Frame<'_>, at: usize) -> Result<()> {
        self.work += amount;
        if self.work > LARGEST {
            return Err(Error::at(
                frame.text,
                at,
                format!("written out, the equations have more than {LARGEST} terms"),
            ));
        }
        if frame.depth.get() > DEEPEST {
            return Err(Error::at(frame.text, at, format!("definitions are nested deeper than {DEEPEST} levels")));
        }
        Ok(())
    }

    fn expand<'f>(&mut self, expr: &'f Expr, frame: &Frame<'f>) -> Result<Id>
    where
        'a: 'f,
    {
        self.charge(1, frame, expr.at)?;
        frame.depth.set(frame.depth.get() + 1);
        let id = self.node(expr, frame);
        frame.depth.set(frame.depth.get() - 1);
        id
    }

    fn node<'f>(&mut self, expr: &'f Expr, frame: &Frame<'f>) -> Result<Id>
    where
        'a: 'f,
    {
        match &expr.kind {
            ExprKind::Number(value) => Ok(self.graph.constant(*value)),
            ExprKind::Name(name) => self.name(name, expr.at, frame),
            ExprKind::Index(name, indices) => self.element(name, indices, expr.at, frame),
            ExprKind::Delayed(target, delay) => self.delayed_term(target, delay, frame),
            ExprKind::Negate(a) => {
                let a = self.expand(a, frame)?;
                Ok(self.graph.neg(a))
            }
            ExprKind::Sum(terms) => {
                let mut total = self.expand(&terms[0].1, frame)?;
                for (sign, term) in &terms[1..] {
                    let term = self.expand(term, frame)?;
                    total = match sign {
                        Sign::Plus => self.graph.add(total, term),
                        Sign::Minus => self.graph.sub(total, term),
                    };
                }
                Ok(total)
            }
            ExprKind::Product(factors) => {
                let mut total = self.expand(&factors[0].1, frame)?;
                for (how, factor) in &factors[1..] {
                    let factor = self.expand(factor, frame)?;
                    total = match how {
                        Factor::Times => self.graph.mul(total, factor),
                        Factor::Over => self.graph.div(total, factor),
                    };
                }
                Ok(total)
            }
            ExprKind::Power(base, exponent) => {
                let base = self.expand(base, frame)?;
                let exponent = self.expand(exponent, frame)?;
                Ok(self.graph.pow(base, exponent))
            }
            ExprKind::Call(name, arguments) => self.call(name, arguments, expr.at, frame),
            ExprKind::Where(condition, yes, no) => {
                // A condition on indices alone decides here, so that only the branch taken needs to make sense.
                match self.decided(condition, frame) {
                    Some(true) => self.expand(yes, frame),
                    Some(false) => self.expand(no, frame),
                    None => {
                        let yes = self.expand(yes, frame)?;
                        let no = self.expand(no, frame)?;
                        self.condition(condition, yes, no, frame)
                    }
                }
            }
            ExprKind::Reduce(kind, index, bounds, body) => {
                self.reduce(*kind, index, bounds.as_deref(), body, expr.at, frame)
            }
        }
    }

    fn call<'f>(&mut self, name: &str, arguments: &'f [Expr], at: usize, frame: &Frame<'f>) -> Result<Id>
    where
        'a: 'f,
    {
        if let Some(Symbol::Definition(k)) = self.symbols.get(name) {
            let statements: &'a [Statement] = self.statements;
            let statement = &statements[*k];
            if statement.arguments.is_empty() {
                return Err(Error::at(frame.text, at, format!("`{name}` is not a function")));
            }
            if statement.arguments.len() != arguments.len() {
                let wanted = count(statement.arguments.len(), "argument");
                let message = format!("`{name}` takes {wanted}, {} given", arguments.len());
                return Err(Error::at(frame.text, at, message));
            }
            let mut values = Vec::new();
            for (name, argument) in statement.arguments.iter().zip(arguments) {
                values.push((name.as_str(), self.expand(argument, frame)?));
            }
            let inner = Frame {
                text: self.text,
                indices: Vec::new(),
                arguments: values,
                depth: Cell::new(frame.depth.get() + 1),
            };
            return self.expand(&statement.body, &inner);
        }
        let Some(row) = functions::row(name) else {
            if matches!(self.symbols.get(name), Some(Symbol::State { .. })) {
                let message = format!(
                    "`{name}` is a state variable: write {name}*(…) for a product, {name}(t - tau) for a delay"
                );
                return Err(Error::at(frame.text, at, message));
            }
            if self.symbols.contains_key(name) {
                return Err(Error::at(
                    frame.text,
                    at,
                    format!("`{name}` is not a function: write {name}*(…) for a product"),
                ));
            }
            return Err(self.unknown("function", name, at, frame));
        };
        let function = &functions::TABLE[row as usize];
        let (least, most) = function.arity();
        if arguments.len() < least || arguments.len() > most {
            let wanted = match most {
                _ if most == least => count(least, "argument"),
                usize::MAX => format!("at least {least} arguments"),
                _ => format!("{least} to {most} arguments"),
            };
            return Err(Error::at(frame.text, at, format!("`{name}` takes {wanted}, {} given", arguments.len())));
        }
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.expand(argument, frame)?);
        }
        Ok(match function.value {
            Value::Family(_) if values.len() == 2 => match self.graph.as_constant(values[1]) {
                Some(order) if order == order.trunc() && (0.0..=64.0).contains(&order) => {
                    self.graph.call(row, order as u8, &values[..1])
                }
                _ => {
                    let message = format!("the order of a derivative of `{name}` must be a whole number from 0 to 64");
                    return Err(Error::at(frame.text, arguments[1].at, message));
                }
            },
            Value::Derived(_, _, expand) => expand(&mut self.graph, &values),
            _ if name == "pow" => self.graph.pow(values[0], values[1]),
            _ => self.graph.call(row, 0, &values),
        })
    }

    fn condition<'f>(&mut self, condition: &'f Condition, yes: Id, no: Id, frame: &Frame<'f>) -> Result<Id>
    where
        'a: 'f,
    {
        match condition {
            Condition::Compare(comparison, a, b) => {
                let a = self.expand(a, frame)?;
                let b = self.expand(b, frame)?;
                Ok(self.graph.select(*comparison, a, b, yes, no))
            }
            Condition::And(a, b) => {
                let inner = self.condition(b, yes, no, frame)?;
                self.condition(a, inner, no, frame)
            }
            Condition::Or(a, b) => {
                let inner = self.condition(b, yes, no, frame)?;
                self.condition(a, yes, inner, frame)
            }
            Condition::Not(a) => self.condition(a, no, yes, frame),
        }
    }

    fn reduce<'f>(
        &mut self,
        kind: Reduction,
        index: &'f str,
        bounds: Option<&'f (Expr, Expr)>,
        body: &'f Expr,
        at: usize,
        frame: &Frame<'f>,
    ) -> Result<Id>
    where
        'a: 'f,
    {
        let (first, last) = match bounds {
            Some((first, last)) => (self.whole(first, frame)?.0, self.whole(last, frame)?.0),
            None => match self.range(index, body, frame.text)? {
                Some(size) => (1, size),
                None => {
                    let message =
                        format!("the range of `{index}` is unknown, as it indexes nothing: write {index} = 1..N");
                    return Err(Error::at(frame.text, at, message));
                }
            },
        };
        if last - first >= LARGEST as i64 {
            self.charge(LARGEST + 1, frame, at)?;
        }
        let mut total = None;
        let mut inner = frame.clone();
        inner.indices.push((index, first));
        let own = inner.indices.len() - 1;
        for value in first..=last {
            inner.indices[own].1 = value;
            let term = self.expand(body, &inner)?;
            total = Some(match (total, kind) {
                (None, _) => term,
                (Some(sum), Reduction::Sum) => self.graph.add(sum, term),
                (Some(product), Reduction::Product) => self.graph.mul(product, term),
                (Some(best), Reduction::Minimum) => {
                    self.graph.select(super::ast::Comparison::LessEqual, best, term, best, term)
                }
                (Some(best), Reduction::Maximum) => {
                    self.graph.select(super::ast::Comparison::GreaterEqual, best, term, best, term)
                }
            });
        }
        match (total, kind) {
            (Some(total), _) => Ok(total),
            (None, Reduction::Sum) => Ok(self.graph.constant(0.0)),
            (None, Reduction::Product) => Ok(self.graph.constant(1.0)),
            (None, _) => Err(Error::at(frame.text, at, format!("`{index}` runs over nothing ({first} to {last})"))),
        }
    }
}
