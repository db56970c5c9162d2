//! From the tree to LaTeX, for people to read: indices, sums and definitions stay as they were written.
//!
//! Names become Greek letters and subscripts (`k_max` is k with a roman subscript), quotients become fractions. The
//! result is for display only; it cannot be read back.

use super::ast::{Comparison, Condition, Expr, ExprKind, Factor, Reduction, Role, Sign, Statement};
use super::functions;
use super::printer::print_number;

/// A statement as LaTeX, without surrounding dollar signs. The image of a map is `x_{n+1}`; which names on the right
/// are states is not known here, so they stand without the iteration.
pub fn latex_statement(statement: &Statement) -> String {
    let Statement { role, name, indices, arguments, process, body, .. } = statement;
    let mut symbol = placed(name, indices);
    let left = match role {
        Role::Derivative => {
            symbol.base = format!("\\dot{{{}}}", symbol.base);
            symbol.to_latex()
        }
        Role::Next => {
            symbol.subscripts.push("n+1".into());
            symbol.to_latex()
        }
        Role::Noise => {
            let process = process.as_ref().map(|(name, indices)| format!(", {}", placed(name, indices).to_latex()));
            format!("g_{{{}{}}}", symbol.to_latex(), process.unwrap_or_default())
        }
        Role::Local if arguments.is_empty() => symbol.to_latex(),
        Role::Local => {
            let arguments: Vec<String> = arguments.iter().map(|name| symbol_of(name)).collect();
            format!("{}\\left({}\\right)", symbol.to_latex(), arguments.join(", "))
        }
    };
    format!("{left} = {}", write(body))
}

/// Stochastic differential equations as physicists write them, `dx = f dt + g dW`: each equation with the noise of its left side,
/// definitions as they are. `circle` marks products in Stratonovich's sense.
pub fn latex_stochastic(statements: &[Statement], circle: bool) -> Vec<String> {
    let same = |a: &Statement, b: &Statement| (&a.name, &a.indices) == (&b.name, &b.indices);
    let of = |role: Role| statements.iter().filter(move |statement| statement.role == role);
    let mut lines = Vec::new();
    for statement in statements {
        match statement.role {
            Role::Derivative => {
                let symbol = placed(&statement.name, &statement.indices);
                let mut line = format!("d{} = {}", symbol.to_latex(), factored(&statement.body, "dt"));
                for noise in of(Role::Noise).filter(|noise| same(noise, statement)) {
                    let process = noise.process.as_ref().map_or_else(
                        || Symbol { subscripts: vec![symbol.to_latex()], ..Symbol::of("W") },
                        |(name, indices)| placed(name, indices),
                    );
                    let increment = format!("{}d{}", if circle { "\\circ " } else { "" }, process.to_latex());
                    line.push_str(&format!(" + {}", factored(&noise.body, &increment)));
                }
                lines.push(line);
            }
            // What belongs to no single equation, such as the noise of x[1] where the equation is that of x[i].
            Role::Noise if of(Role::Derivative).any(|equation| same(equation, statement)) => {}
            _ => lines.push(latex_statement(statement)),
        }
    }
    lines
}

/// An expression times a differential.
fn factored(expression: &Expr, differential: &str) -> String {
    match expression.kind {
        ExprKind::Number(0.0) => format!("0\\, {differential}"),
        ExprKind::Number(1.0) => differential.to_owned(),
        _ => format!("{}\\, {differential}", at_least(expression, Tightness::Product)),
    }
}

/// A name with the indices of a left side as subscripts.
fn placed(name: &str, indices: &[String]) -> Symbol {
    let mut symbol = Symbol::of(name);
    symbol.subscripts.extend(indices.iter().map(|index| symbol_of(index)));
    symbol
}

/// An expression as LaTeX, without surrounding dollar signs.
pub fn latex_expression(expression: &Expr) -> String {
    write(expression)
}

/// How tightly a piece of LaTeX holds together, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Sum,
    Product,
    Factor,
    Atom,
}

/// A name with its indices as subscripts.
fn indexed(name: &str, indices: &[Expr]) -> String {
    let mut symbol = Symbol::of(name);
    symbol.subscripts.extend(indices.iter().map(|index| write(index).replace(" + ", "+").replace(" - ", "-")));
    symbol.to_latex()
}

fn write(expression: &Expr) -> String {
    match &expression.kind {
        ExprKind::Number(value) => number(*value),
        ExprKind::Name(name) => symbol_of(name),
        ExprKind::Index(name, indices) => indexed(name, indices),
        ExprKind::Delayed(target, delay) => {
            format!("{}\\left(t - {}\\right)", write(target), at_least(delay, Tightness::Product))
        }
        ExprKind::Negate(operand) => format!("-{}", at_least(operand, Tightness::Product)),
        ExprKind::Sum(terms) => sum(terms),
        ExprKind::Product(factors) => product(factors),
        ExprKind::Power(base, exponent) => power(base, exponent),
        ExprKind::Call(name, arguments) => call(name, arguments),
        ExprKind::Where(condition, then, otherwise) => format!(
            "\\begin{{cases}} {} & \\text{{if }} {} \\\\ {} & \\text{{otherwise}} \\end{{cases}}",
            write(then),
            truth(condition),
            write(otherwise)
        ),
        ExprKind::Reduce(reduction, index, bounds, body) => {
            let operator = match reduction {
                Reduction::Sum => "\\sum",
                Reduction::Product => "\\prod",
                Reduction::Minimum => "\\min",
                Reduction::Maximum => "\\max",
            };
            let index = symbol_of(index);
            let range = match bounds.as_deref() {
                Some((first, last)) => match reduction {
                    Reduction::Sum | Reduction::Product => {
                        format!("_{{{index}={}}}^{{{}}}", write(first), write(last))
                    }
                    _ => format!("_{{{} \\le {index} \\le {}}}", write(first), write(last)),
                },
                None => format!("_{{{index}}}"),
            };
            format!("{operator}{range} {}", at_least(body, Tightness::Product))
        }
    }
}

fn tightness(expression: &Expr) -> Tightness {
    match &expression.kind {
        ExprKind::Number(value) if print_number(*value).contains('e') => Tightness::Product,
        ExprKind::Number(_) | ExprKind::Name(_) | ExprKind::Index(..) => Tightness::Atom,
        ExprKind::Negate(_) | ExprKind::Sum(_) | ExprKind::Reduce(..) | ExprKind::Where(..) => Tightness::Sum,
        ExprKind::Product(_) => Tightness::Product,
        ExprKind::Call(name, _) => match functions::find(name).map(|function| function.latex) {
            Some(template) if template.contains("\\bmod") => Tightness::Sum,
            Some(template) if template.starts_with("\\sqrt") || template.starts_with("\\left|") => Tightness::Atom,
            _ => Tightness::Factor,
        },
        ExprKind::Power(..) | ExprKind::Delayed(..) => Tightness::Factor,
    }
}

/// In parentheses if it is looser than `tightness`.
fn at_least(expression: &Expr, least: Tightness) -> String {
    let written = write(expression);
    if tightness(expression) < least { format!("\\left({written}\\right)") } else { written }
}

fn sum(terms: &[(Sign, Expr)]) -> String {
    let mut result = String::new();
    for (i, (sign, term)) in terms.iter().enumerate() {
        // A leading minus needs no parentheses in the first place.
        let is_bare = i == 0 && matches!(term.kind, ExprKind::Negate(_));
        result.push_str(match (i, sign) {
            (0, Sign::Plus) => "",
            (0, Sign::Minus) => "-",
            (_, Sign::Plus) => " + ",
            (_, Sign::Minus) => " - ",
        });
        result.push_str(&if is_bare { write(term) } else { at_least(term, Tightness::Product) });
    }
    result
}

/// Runs of factors and divisors as fractions: `a/b*c` is `\frac{a}{b} c`.
fn product(factors: &[(Factor, Expr)]) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut rest = factors;
    while !rest.is_empty() {
        let above = rest.iter().take_while(|(how, _)| *how == Factor::Times).count();
        let below = rest[above..].iter().take_while(|(how, _)| *how == Factor::Over).count();
        if below == 0 {
            pieces.extend(rest.iter().map(|(_, factor)| at_least(factor, Tightness::Factor)));
            break;
        }
        let fraction =
            format!("\\frac{{{}}}{{{}}}", juxtaposed(&rest[..above]), juxtaposed(&rest[above..above + below]));
        pieces.push(fraction);
        rest = &rest[above + below..];
    }
    join(&pieces)
}

/// Factors side by side; a single one stands between the braces of a fraction and needs no parentheses.
fn juxtaposed(factors: &[(Factor, Expr)]) -> String {
    match factors {
        [] => "1".into(),
        [(_, only)] => write(only),
        _ => join(&factors.iter().map(|(_, factor)| at_least(factor, Tightness::Factor)).collect::<Vec<_>>()),
    }
}

fn power(base: &Expr, exponent: &Expr) -> String {
    let written = write(exponent);
    if let (ExprKind::Call(name, arguments), ExprKind::Number(_)) = (&base.kind, &exponent.kind)
        && let ([argument], Some(function)) = (arguments.as_slice(), functions::find(name))
        && let Some(command) = command_of_one(function.latex)
    {
        return format!("{command}^{{{written}}}\\left({}\\right)", write(argument));
    }
    format!("{}^{{{written}}}", at_least(base, Tightness::Atom))
}

/// A built-in function by its template, another one by its name.
fn call(name: &str, arguments: &[Expr]) -> String {
    let all = || arguments.iter().map(write).collect::<Vec<_>>().join(", ");
    let Some(function) = functions::find(name) else {
        return format!("{}\\left({}\\right)", symbol_of(name), all());
    };
    let mut result = String::new();
    let mut rest = function.latex;
    while let Some((before, place, after)) = next_place(rest) {
        result.push_str(before);
        let argument = place.to_digit(10).and_then(|place| arguments.get(place as usize));
        let Some(argument) = argument else {
            result.push_str(&all());
            rest = after;
            continue;
        };
        let is_bracketed = ["(", "{", "|", "\\lfloor "].iter().any(|open| before.ends_with(open))
            && [")", "}", ",", "\\right", " \\rfloor"].iter().any(|close| after.starts_with(close));
        if is_bracketed {
            result.push_str(&write(argument));
        } else if command_of_one(function.latex).is_some() {
            result.truncate(result.trim_end().len());
            result.push_str(&format!("\\left({}\\right)", write(argument)));
        } else {
            result.push_str(&at_least(argument, Tightness::Atom));
        }
        rest = after;
    }
    result + rest
}

/// A template split at its first place: what stands before, the digit or `*`, what stands behind.
fn next_place(template: &str) -> Option<(&str, char, &str)> {
    template.match_indices('{').find_map(|(start, _)| {
        let mut characters = template[start + 1..].chars();
        let place = characters.next().filter(|&c| c == '*' || c.is_ascii_digit())?;
        let after = characters.as_str().strip_prefix('}')?;
        Some((&template[..start], place, after))
    })
}

/// `\sin` of the template `\sin {0}`.
fn command_of_one(template: &str) -> Option<&str> {
    template.strip_suffix(" {0}").filter(|command| command.starts_with('\\'))
}

fn truth(condition: &Condition) -> String {
    let grouped = |inner: &Condition| match inner {
        Condition::Compare(..) => truth(inner),
        _ => format!("\\left({}\\right)", truth(inner)),
    };
    match condition {
        Condition::Compare(comparison, left, right) => {
            let symbol = match comparison {
                Comparison::Less => "<",
                Comparison::LessEqual => "\\le",
                Comparison::Greater => ">",
                Comparison::GreaterEqual => "\\ge",
                Comparison::Equal => "=",
                Comparison::NotEqual => "\\ne",
            };
            format!("{} {symbol} {}", write(left), write(right))
        }
        Condition::And(left, right) => format!("{} \\land {}", grouped(left), grouped(right)),
        Condition::Or(left, right) => format!("{} \\lor {}", grouped(left), grouped(right)),
        Condition::Not(operand) => format!("\\lnot {}", grouped(operand)),
    }
}

/// Factors side by side, with a dot where two numbers would run together.
fn join(factors: &[String]) -> String {
    let mut result = String::new();
    for (i, factor) in factors.iter().enumerate() {
        if i > 0 {
            let is_number = factor.starts_with(|c: char| c.is_ascii_digit());
            result.push_str(if is_number { " \\cdot " } else { " " });
        }
        result.push_str(factor);
    }
    result
}

/// `1.5 \cdot 10^{-7}` for what is printed as `1.5e-7`.
fn number(value: f64) -> String {
    let printed = print_number(value);
    match printed.split_once('e') {
        Some(("1", exponent)) => format!("10^{{{exponent}}}"),
        Some((mantissa, exponent)) => format!("{mantissa} \\cdot 10^{{{exponent}}}"),
        None => printed,
    }
}

/// A name as a letter or word with subscripts.
struct Symbol {
    base: String,
    subscripts: Vec<String>,
}

/// A name as LaTeX.
fn symbol_of(name: &str) -> String {
    Symbol::of(name).to_latex()
}

impl Symbol {
    /// `x1` is x with subscript 1, `k_max` is k with subscript max, `alpha` is a Greek letter, `rate` an upright word,
    /// `drive.x` is x with subscript drive.
    fn of(name: &str) -> Self {
        if let Some((part, own)) = name.rsplit_once('.') {
            let mut symbol = Self::of(own);
            symbol.subscripts.push(format!("\\mathrm{{{}}}", part.replace('_', "\\_")));
            return symbol;
        }
        let mut parts = name.split('_').filter(|part| !part.is_empty());
        let Some(first) = parts.next() else {
            return Self { base: format!("\\mathrm{{{}}}", name.replace('_', "\\_")), subscripts: Vec::new() };
        };
        let stem = first.trim_end_matches(|c: char| c.is_ascii_digit());
        let (stem, digits) = if stem.is_empty() { (first, "") } else { first.split_at(stem.len()) };
        let mut subscripts: Vec<String> = Vec::new();
        if !digits.is_empty() {
            subscripts.push(digits.to_owned());
        }
        subscripts.extend(parts.map(word));
        Self { base: word(stem), subscripts }
    }

    fn to_latex(&self) -> String {
        if self.subscripts.is_empty() {
            return self.base.clone();
        }
        // Indices of one letter or digit stand together, `K_{ij}`.
        let together = self.subscripts.iter().all(|subscript| subscript.chars().count() == 1);
        format!("{}_{{{}}}", self.base, self.subscripts.join(if together { "" } else { "," }))
    }
}

/// One letter in italics, a number, a Greek letter by its command, anything else upright.
fn word(part: &str) -> String {
    let mut characters = part.chars();
    if let (Some(only), None) = (characters.next(), characters.next()) {
        return match GREEK.iter().find(|(_, letter)| *letter == only) {
            Some((name, _)) => greek(name),
            None => part.to_owned(),
        };
    }
    if part.chars().all(|c| c.is_ascii_digit()) {
        part.to_owned()
    } else if GREEK.iter().any(|(name, _)| *name == part) {
        greek(part)
    } else {
        format!("\\mathrm{{{part}}}")
    }
}

/// The command of a Greek letter; LaTeX has none for those that look like Latin ones.
fn greek(name: &str) -> String {
    if name == "omicron" { "o".into() } else { format!("\\{name}") }
}

/// Greek letters that LaTeX has commands for.
#[rustfmt::skip]
const GREEK: [(&str, char); 41] = [
    ("alpha", 'α'), ("beta", 'β'), ("gamma", 'γ'), ("delta", 'δ'), ("epsilon", 'ϵ'), ("varepsilon", 'ε'),
    ("zeta", 'ζ'), ("eta", 'η'), ("theta", 'θ'), ("vartheta", 'ϑ'), ("iota", 'ι'), ("kappa", 'κ'), ("lambda", 'λ'),
    ("mu", 'μ'), ("nu", 'ν'), ("xi", 'ξ'), ("omicron", 'ο'), ("pi", 'π'), ("varpi", 'ϖ'), ("rho", 'ρ'), ("varrho", 'ϱ'),
    ("sigma", 'σ'), ("varsigma", 'ς'), ("tau", 'τ'), ("upsilon", 'υ'), ("phi", 'ϕ'), ("varphi", 'φ'),
    ("chi", 'χ'), ("psi", 'ψ'), ("omega", 'ω'), ("Gamma", 'Γ'), ("Delta", 'Δ'), ("Theta", 'Θ'),
    ("Lambda", 'Λ'), ("Xi", 'Ξ'), ("Pi", 'Π'), ("Sigma", 'Σ'), ("Upsilon", 'Υ'), ("Phi", 'Φ'), ("Psi", 'Ψ'), ("Omega", 'Ω'),
];
