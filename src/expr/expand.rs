//! From statements to the graph: names resolved, indices and sums written out, definitions put in place.

use super::ast::{Condition, Expr, ExprKind, Factor, Reduction, Role, Sign, Statement};
use super::functions::{self, Value};
use super::graph::{Graph, Id, Op, Table, whole_power};
use super::parser::{RESERVED, parse_expression};
use crate::error::{Error, Result, nearest};
use std::cell::Cell;
use std::collections::HashSet;

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
    values: Table<(usize, Vec<i64>), Id>,
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
            values: Table::default(),
            ranges: Table::default(),
            work: 0,
        };
        // Scalar definitions are expanded here, each after those it uses, so that a long chain of them is not deep.
        for i in expander.definition_order()? {
            let statement = &statements[i];
            if statement.indices.is_empty() && statement.arguments.is_empty() {
                let id = expander.expand(&statement.body, &expander.outermost())?;
                expander.values.insert((i, Vec::new()), id);
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

    /// Definitions sorted so that each comes after those it names.
    fn definition_order(&self) -> Result<Vec<usize>> {
        let mut uses: Vec<Vec<usize>> = vec![Vec::new(); self.statements.len()];
        for (i, statement) in self.statements.iter().enumerate() {
            let mut names = HashSet::new();
            collect_names(&statement.body, &mut names);
            uses[i] = names
                .iter()
                .filter(|name| !statement.arguments.contains(name) && !statement.indices.contains(name))
                .filter_map(|name| match self.symbols.get(name.as_str()) {
                    Some(Symbol::Definition(k)) => Some(*k),
                    _ => None,
                })
                .collect();
            uses[i].sort_unstable();
        }
        let mut order = Vec::new();
        let mut mark = vec![0u8; self.statements.len()]; // 0 new, 1 on the path, 2 done
        for root in 0..self.statements.len() {
            if self.statements[root].role != Role::Local || mark[root] == 2 {
                continue;
            }
            let mut path = vec![(root, 0)];
            mark[root] = 1;
            while let Some((node, next)) = path.last_mut() {
                let node = *node;
                if let Some(&child) = uses[node].get(*next) {
                    *next += 1;
                    if mark[child] == 1 {
                        let from = path.iter().position(|(k, _)| *k == child).unwrap_or(0);
                        let mut names: Vec<&str> =
                            path[from..].iter().map(|(k, _)| self.statements[*k].name.as_str()).collect();
                        names.push(&self.statements[child].name);
                        let message = format!("the definition is circular: {}", names.join(" -> "));
                        return Err(Error::at(self.text, self.statements[child].at, message));
                    }
                    if mark[child] == 0 {
                        mark[child] = 1;
                        path.push((child, 0));
                    }
                } else {
                    mark[node] = 2;
                    order.push(node);
                    path.pop();
                }
            }
        }
        Ok(order)
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

    fn name(&mut self, name: &str, at: usize, frame: &Frame<'_>) -> Result<Id> {
        if let Some((_, id)) = frame.arguments.iter().rev().find(|(argument, _)| *argument == name) {
            return Ok(*id);
        }
        if let Some((_, value)) = frame.indices.iter().rev().find(|(index, _)| *index == name) {
            return Ok(self.graph.constant(*value as f64));
        }
        match self.symbols.get(name).cloned() {
            Some(Symbol::State { first, size: None }) => Ok(self.graph.state(first)),
            Some(Symbol::State { size: Some(n), .. }) => {
                Err(Error::at(frame.text, at, format!("`{name}` is a vector of {n} variables: write {name}[i]")))
            }
            Some(Symbol::Parameter { first, shape }) if shape.is_empty() => Ok(self.graph.parameter(first)),
            Some(Symbol::Parameter { shape, .. }) => {
                let example = if shape.len() == 1 { "[i]" } else { "[i, j]" };
                let message =
                    format!("`{name}` is a parameter with {} elements: write {name}{example}", extents(&shape));
                Err(Error::at(frame.text, at, message))
            }
            Some(Symbol::Structure(value)) => Ok(self.graph.constant(value as f64)),
            Some(Symbol::Definition(k)) => {
                let statement = &self.statements[k];
                if !statement.arguments.is_empty() {
                    let form = format!("{name}({})", statement.arguments.join(", "));
                    return Err(Error::at(frame.text, at, format!("`{name}` is a function: write {form}")));
                }
                if !statement.indices.is_empty() {
                    let form = format!("{name}[{}]", statement.indices.join(", "));
                    return Err(Error::at(frame.text, at, format!("`{name}` has indices: write {form}")));
                }
                self.definition(k, &[], frame, at)
            }
            None if name == "t" => Ok(self.graph.time()),
            None if name == "pi" => Ok(self.graph.constant(std::f64::consts::PI)),
            None if functions::find(name).is_some() => {
                Err(Error::at(frame.text, at, format!("`{name}` is a function: write {name}(…)")))
            }
            None => Err(self.unknown("name", name, at, frame)),
        }
    }

    fn unknown(&self, what: &str, name: &str, at: usize, frame: &Frame<'_>) -> Error {
        let symbols = self.symbols.keys().map(String::as_str);
        let arguments = frame.arguments.iter().map(|(name, _)| *name);
        let indices = frame.indices.iter().map(|(name, _)| *name);
        let mut known: Vec<&str> = symbols.chain(arguments).chain(indices).chain(functions::names()).collect();
        known.sort_unstable();
        let hint = nearest(name, known).map_or(String::new(), |known| format!(", did you mean `{known}`?"));
        Error::at(frame.text, at, format!("unknown {what} `{name}`{hint}"))
    }

    fn definition(&mut self, k: usize, indices: &[i64], frame: &Frame<'_>, at: usize) -> Result<Id> {
        let key = (k, indices.to_vec());
        if let Some(&id) = self.values.get(&key) {
            return Ok(id);
        }
        self.charge(1, frame, at)?;
        let statements: &'a [Statement] = self.statements;
        let statement = &statements[k];
        let inner = Frame {
            text: self.text,
            indices: statement.indices.iter().map(String::as_str).zip(indices.iter().copied()).collect(),
            arguments: Vec::new(),
            depth: Cell::new(frame.depth.get() + 1),
        };
        let id = match self.number(&statement.body, &inner) {
            Some(value) => self.graph.constant(value),
            None => self.expand(&statement.body, &inner)?,
        };
        self.values.insert(key, id);
        Ok(id)
    }

    /// The number that an expression made of numbers, indices and structural integers is: what its expansion would fold to,
    /// without a node for every step. `None` for most others.
    fn number(&mut self, expr: &Expr, frame: &Frame<'_>) -> Option<f64> {
        self.work += 1;
        match &expr.kind {
            ExprKind::Number(value) => Some(*value),
            ExprKind::Name(name) => match frame.indices.iter().rev().find(|(index, _)| index == name) {
                Some((_, value)) => Some(*value as f64),
                None => match self.symbols.get(name) {
                    Some(Symbol::Structure(value)) => Some(*value as f64),
                    None if name == "pi" => Some(std::f64::consts::PI),
                    _ => None,
                },
            },
            ExprKind::Negate(a) => Some(-self.number(a, frame)?),
            ExprKind::Sum(terms) => {
                let mut total = self.number(&terms[0].1, frame)?;
                for (sign, term) in &terms[1..] {
                    let term = self.number(term, frame)?;
                    total = if *sign == Sign::Plus { total + term } else { total - term };
                }
                Some(total)
            }
            ExprKind::Product(factors) => {
                let mut total = self.number(&factors[0].1, frame)?;
                for (how, factor) in &factors[1..] {
                    let factor = self.number(factor, frame)?;
                    total = if *how == Factor::Times { total * factor } else { total / factor };
                }
                Some(total)
            }
            ExprKind::Power(base, exponent) => {
                let (base, exponent) = (self.number(base, frame)?, self.number(exponent, frame)?);
                let whole = exponent == exponent.trunc() && exponent.abs() < 65536.0;
                whole.then(|| whole_power(base, exponent as i32))
            }
            ExprKind::Call(name, arguments) if !self.symbols.contains_key(name) => {
                let function = functions::find(name)?;
                match (function.value, &arguments[..]) {
                    (Value::One(f), [a]) => Some(f(self.number(a, frame)?)),
                    (Value::Two(f), [a, b]) if name != "pow" => Some(f(self.number(a, frame)?, self.number(b, frame)?)),
                    _ => None,
                }
            }
            ExprKind::Where(condition, yes, no) => {
                let branch = if self.decided(condition, frame)? { yes } else { no };
                self.number(branch, frame)
            }
            _ => None,
        }
    }

    /// `name[i, …]` with cyclic indices where they are counted from an index variable.
    fn element<'f>(&mut self, name: &str, indices: &'f [Expr], at: usize, frame: &Frame<'f>) -> Result<Id>
    where
        'a: 'f,
    {
        let Some(symbol) = self.symbols.get(name).cloned() else {
            return Err(self.unknown("name", name, at, frame));
        };
        let shape: Vec<Option<usize>> = match &symbol {
            Symbol::State { size: Some(n), .. } => vec![Some(*n)],
            Symbol::Parameter { shape, .. } if !shape.is_empty() => shape.iter().map(|&n| Some(n)).collect(),
            Symbol::Definition(k) if !self.statements[*k].indices.is_empty() => {
                let mut sizes = Vec::new();
                for place in 0..self.statements[*k].indices.len() {
                    sizes.push(self.range_of_definition(*k, place)?.map(|n| n as usize));
                }
                sizes
            }
            _ => return Err(Error::at(frame.text, at, format!("`{name}` has no elements: leave out the brackets"))),
        };
        if shape.len() != indices.len() {
            let message = format!("`{name}` takes {} but {} given", count(shape.len(), "index"), indices.len());
            return Err(Error::at(frame.text, at, message));
        }
        let mut place = Vec::new();
        for (index, size) in indices.iter().zip(&shape) {
            let (value, varies) = self.whole(index, frame)?;
            place.push(match size {
                Some(n) if varies => (value - 1).rem_euclid(*n as i64) + 1,
                Some(n) if value < 1 || value > *n as i64 => {
                    let message = format!("index {value} is outside 1 to {n}, the elements of `{name}`");
                    return Err(Error::at(frame.text, index.at, message));
                }
                _ => value,
            });
        }
        match symbol {
            Symbol::State { first, .. } => Ok(self.graph.state(first + place[0] as usize - 1)),
            Symbol::Parameter { first, shape } => {
                let offset = place.iter().zip(&shape).fold(0, |offset, (i, n)| offset * n + (*i as usize - 1));
                Ok(self.graph.parameter(first + offset))
            }
            Symbol::Definition(k) => self.definition(k, &place, frame, at),
            Symbol::Structure(_) => unreachable!("refused above"),
        }
    }

    fn delayed_term<'f>(&mut self, target: &'f Expr, delay: &'f Expr, frame: &Frame<'f>) -> Result<Id>
    where
        'a: 'f,
    {
        let node = self.expand(target, frame)?;
        let Op::State(state) = self.graph.op(node) else {
            return Err(Error::at(frame.text, target.at, "only a state variable can be delayed"));
        };
        let tau = self.expand(delay, frame)?;
        if !self.is_fixed(tau) {
            let message = "a delay must be made of parameters and numbers alone: it is constant during a run";
            return Err(Error::at(frame.text, delay.at, message));
        }
        if self.graph.as_constant(tau).is_some_and(|tau| tau <= 0.0) {
            return Err(Error::at(frame.text, delay.at, "a delay must be positive"));
        }
        let delay = position_or_push(&mut self.delays, tau);
        let term = position_or_push(&mut self.delayed, (state as usize, delay));
        Ok(self.graph.delayed(term))
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

    /// The truth of a condition that involves only indices and numbers.
    fn decided(&self, condition: &Condition, frame: &Frame<'_>) -> Option<bool> {
        match condition {
            Condition::Compare(comparison, a, b) => {
                let a = self.whole(a, frame).ok()?.0;
                let b = self.whole(b, frame).ok()?.0;
                Some(super::graph::holds(*comparison, a as f64, b as f64))
            }
            Condition::And(a, b) => match (self.decided(a, frame), self.decided(b, frame)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Condition::Or(a, b) => match (self.decided(a, frame), self.decided(b, frame)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Condition::Not(a) => self.decided(a, frame).map(|truth| !truth),
        }
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

    /// A whole number made of indices, structural integers and numbers, and whether an index variable is in it.
    fn whole(&self, expr: &Expr, frame: &Frame<'_>) -> Result<(i64, bool)> {
        let refuse =
            |what: &str| Err(Error::at(frame.text, expr.at, format!("{what} in a place that needs a whole number")));
        let too_large = || Error::at(frame.text, expr.at, "the whole number is too large");
        match &expr.kind {
            ExprKind::Number(value) if *value == value.trunc() && *value < 1e15 => Ok((*value as i64, false)),
            ExprKind::Number(_) => refuse("a fraction"),
            ExprKind::Name(name) => {
                if let Some((_, value)) = frame.indices.iter().rev().find(|(index, _)| *index == name) {
                    return Ok((*value, true));
                }
                match self.symbols.get(name) {
                    Some(Symbol::Structure(value)) => Ok((*value, false)),
                    Some(_) => refuse(&format!("`{name}`, which is not a structural integer,")),
                    None => Err(self.unknown("index", name, expr.at, frame)),
                }
            }
            ExprKind::Negate(a) => self.whole(a, frame).map(|(value, varies)| (-value, varies)),
            ExprKind::Sum(terms) => {
                let mut total = (0i64, false);
                for (sign, term) in terms {
                    let (value, varies) = self.whole(term, frame)?;
                    let sum = match sign {
                        Sign::Plus => total.0.checked_add(value),
                        Sign::Minus => total.0.checked_sub(value),
                    };
                    total = (sum.ok_or_else(too_large)?, total.1 || varies);
                }
                Ok(total)
            }
            ExprKind::Product(factors) => {
                let mut total = (1i64, false);
                for (how, factor) in factors {
                    let (value, varies) = self.whole(factor, frame)?;
                    total.1 |= varies;
                    total.0 = match how {
                        Factor::Times => total.0.checked_mul(value).ok_or_else(too_large)?,
                        Factor::Over if value != 0 && total.0 % value == 0 => total.0 / value,
                        Factor::Over => return refuse("a quotient that is not whole"),
                    };
                }
                Ok(total)
            }
            ExprKind::Call(name, arguments) if name == "mod" && arguments.len() == 2 => {
                let (a, varies) = self.whole(&arguments[0], frame)?;
                let (m, also) = self.whole(&arguments[1], frame)?;
                if m <= 0 {
                    return refuse("mod by a number that is not positive,");
                }
                Ok((a.rem_euclid(m), varies || also))
            }
            _ => refuse("an expression"),
        }
    }

    /// How far `index` runs in `body`, from the sizes of what it indexes.
    fn range(&mut self, index: &str, body: &Expr, text: &str) -> Result<Option<i64>> {
        let mut uses = Vec::new();
        index_uses(index, body, &mut uses);
        let mut found: Option<(i64, String)> = None;
        for (name, place, at) in uses {
            let size = match self.symbols.get(&name).cloned() {
                Some(Symbol::State { size, .. }) if place == 0 => size.map(|n| n as i64),
                Some(Symbol::Parameter { shape, .. }) => shape.get(place).map(|&n| n as i64),
                Some(Symbol::Definition(k)) if place < self.statements[k].indices.len() => {
                    self.range_of_definition(k, place)?
                }
                _ => None,
            };
            match (size, &found) {
                (Some(n), Some((m, other))) if n != *m => {
                    let message = format!(
                        "`{index}` runs over `{other}` with {m} and `{name}` with {n} elements: write {index} = 1..{n} or the like"
                    );
                    return Err(Error::at(text, at, message));
                }
                (Some(n), _) => found = Some((n, name)),
                (None, _) => {}
            }
        }
        Ok(found.map(|(n, _)| n))
    }

    fn range_of_definition(&mut self, k: usize, place: usize) -> Result<Option<i64>> {
        if let Some(&size) = self.ranges.get(&(k, place)) {
            return Ok(size);
        }
        let statement = &self.statements[k];
        let size = self.range(&statement.indices[place], &statement.body, self.text)?;
        self.ranges.insert((k, place), size);
        Ok(size)
    }
}

fn position_or_push<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

fn count(n: usize, what: &str) -> String {
    match (n, what) {
        (1, _) => format!("one {what}"),
        (_, "index") => format!("{n} indices"),
        _ => format!("{n} {what}s"),
    }
}

fn extents(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

/// Visits an expression and everything in it.
pub fn visit<'e>(expr: &'e Expr, see: &mut impl FnMut(&'e Expr)) {
    see(expr);
    let mut all = |list: &[&'e Expr]| list.iter().for_each(|e| visit(e, see));
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Name(_) => {}
        ExprKind::Index(_, list) | ExprKind::Call(_, list) => list.iter().for_each(|e| visit(e, see)),
        ExprKind::Delayed(a, b) | ExprKind::Power(a, b) => all(&[a, b]),
        ExprKind::Negate(a) => all(&[a]),
        ExprKind::Sum(terms) => terms.iter().for_each(|(_, e)| visit(e, see)),
        ExprKind::Product(factors) => factors.iter().for_each(|(_, e)| visit(e, see)),
        ExprKind::Where(condition, a, b) => {
            let mut sides = Vec::new();
            condition_sides(condition, &mut sides);
            sides.into_iter().for_each(|e| visit(e, see));
            visit(a, see);
            visit(b, see);
        }
        ExprKind::Reduce(_, _, bounds, body) => {
            if let Some(bounds) = bounds {
                visit(&bounds.0, see);
                visit(&bounds.1, see);
            }
            visit(body, see);
        }
    }
}

fn condition_sides<'e>(condition: &'e Condition, sides: &mut Vec<&'e Expr>) {
    match condition {
        Condition::Compare(_, a, b) => sides.extend([a, b]),
        Condition::And(a, b) | Condition::Or(a, b) => {
            condition_sides(a, sides);
            condition_sides(b, sides);
        }
        Condition::Not(a) => condition_sides(a, sides),
    }
}

fn collect_names(expr: &Expr, names: &mut HashSet<String>) {
    visit(expr, &mut |e| match &e.kind {
        ExprKind::Name(name) | ExprKind::Index(name, _) | ExprKind::Call(name, _) => {
            names.insert(name.clone());
        }
        _ => {}
    });
}

/// The places where `index` (possibly shifted) is an index: (name, position among the indices, offset).
fn index_uses(index: &str, body: &Expr, uses: &mut Vec<(String, usize, usize)>) {
    visit(body, &mut |e| {
        if let ExprKind::Index(name, indices) = &e.kind {
            for (place, expr) in indices.iter().enumerate() {
                let mut names = HashSet::new();
                collect_names(expr, &mut names);
                if names.contains(index) {
                    uses.push((name.clone(), place, e.at));
                }
            }
        }
    });
}
