//! The language: print then parse is the identity, precedence, every error at its place, limits, arbitrary input.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use bestiary::error::Error;
use bestiary::expr::ast::{Comparison, Condition, Expr, ExprKind, Factor, Reduction, Role, Sign, Statement};
use bestiary::expr::{
    latex_expression, latex_statement, parse_document, parse_expression, print_document, print_expression,
};
use proptest::prelude::*;

fn parse(text: &str) -> Expr {
    parse_expression(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn canonical(text: &str) -> String {
    print_expression(&parse(text))
}

// ---- what is printed ------------------------------------------------------------------------------------------

#[test]
fn canonical_text_stays_as_it_is() {
    for text in [
        "x*(rho - z) - y",
        "a/(b*c)",
        "a/b/c",
        "-x^2",
        "(-x)^2",
        "-a*b",
        "(-a)*b",
        "a*-b",
        "a + -b",
        "a - (b - c)",
        "--a",
        "-(a + b)",
        "a^b^c",
        "(a^b)^c",
        "a^-b",
        "a^(b + 1)",
        "a^(1/2)",
        "a^(1)/2",
        "a^(-1)/2",
        "2*a^1",
        "x^3/3",
        "x[i-1]*(x[i+1] - x[i-2])",
        "K[i, j+1]",
        "x(t - tau)",
        "x[i](t - tau)",
        "x(t - a - b)",
        "x(t - a + b)",
        "sum(i, x[i])",
        "sum(i = 1..N-1, r^i)",
        "product(i, minimum(j, maximum(k, K[i, j]*a[k])))",
        "where(x < 0, a, b)",
        "where(not x < 0 and (a > b or a == 1) or b != 2, a, b)",
        "where((a < b and b < c) and c < d, 1, 2)",
        "where((x + y)*2 <= 3, a, b)",
        "min(a, b, c) + atan2(y, x)",
        "1e16 + 1e-7 + 0.1 + 123456789",
        "σ*(y - x)",
    ] {
        assert_eq!(canonical(text), text);
    }
}

#[test]
fn other_spellings_become_canonical() {
    for (text, expected) in [
        ("a**b", "a^b"),
        ("((a))", "a"),
        ("(a + b) + c", "a + b + c"),
        ("a + (b + c)", "a + (b + c)"),
        ("(a*b)/c", "a*b/c"),
        ("a*(b*c)", "a*(b*c)"),
        ("(-a) + b", "-a + b"),
        ("-(a*b)", "-a*b"),
        ("(a^1)/2", "a^(1)/2"),
        (".5*x + 2.*y", "0.5*x + 2*y"),
        ("x( t-(a+b) )", "x(t - a - b)"),
        ("where( ((a<b)) , 1,2)", "where(a < b, 1, 2)"),
        ("\u{feff}a + # a comment\n  b", "a + b"),
        ("f(a,\n  b)", "f(a, b)"),
        ("1E+3", "1000"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
}

/// Values tell the grouping apart: every row is the arithmetic it should mean, written in Rust.
#[test]
fn precedence() {
    let (a, b, c) = (3.0_f64, 5.0_f64, 7.0_f64);
    for (text, expected) in [
        ("a - b - c", a - b - c),
        ("a - (b - c)", a - (b - c)),
        ("a/b/c", a / b / c),
        ("a/b*c", a / b * c),
        ("a/(b*c)", a / (b * c)),
        ("a + b*c", a + b * c),
        ("2^a^2", 2f64.powf(a.powi(2))),
        ("(2^a)^2", 2f64.powf(a).powi(2)),
        ("-a^2", -(a * a)),
        ("(-a)^2", a * a),
        ("2*-a^2*b", 2.0 * -(a * a) * b),
        ("2^-a*b", 2f64.powf(-a) * b),
        ("-a - b", -a - b),
        ("-a*b + c", -(a * b) + c),
        ("a - -b", a + b),
        ("a*b^2/c", a * (b * b) / c),
        ("a^3/3", a.powi(3) / 3.0),
    ] {
        let value = evaluate(&parse(text), &[("a", a), ("b", b), ("c", c)]);
        assert!((value - expected).abs() <= 1e-12 * expected.abs(), "{text}: {value}, not {expected}");
    }
}

/// Arithmetic only, straight from the tree.
fn evaluate(expression: &Expr, values: &[(&str, f64)]) -> f64 {
    let value = |e: &Expr| evaluate(e, values);
    match &expression.kind {
        ExprKind::Number(number) => *number,
        ExprKind::Name(name) => values.iter().find(|(known, _)| known == name).expect("a known name").1,
        ExprKind::Negate(operand) => -value(operand),
        ExprKind::Power(base, exponent) => value(base).powf(value(exponent)),
        ExprKind::Sum(terms) => {
            terms.iter().fold(0.0, |sum, (sign, e)| if *sign == Sign::Plus { sum + value(e) } else { sum - value(e) })
        }
        ExprKind::Product(factors) => factors
            .iter()
            .fold(1.0, |product, (how, e)| if *how == Factor::Times { product * value(e) } else { product / value(e) }),
        other => panic!("{other:?} is no arithmetic"),
    }
}

#[test]
fn statements() {
    let text = "x' = sigma*(y - x)\nx[i]' = y\nx[1]' = 0\nnext(x) = 1 - a*x^2\nnext(x[i]) = x[i-1]\nnoise(x) = s\n\
                noise(x[i]) = s\nr2 = x^2 + y^2\nW[i, j] = K[j, i]\nf(u, v) = u*v";
    let statements = parse_document(text).unwrap();
    assert_eq!(print_document(&statements), text);
    let roles: Vec<Role> = statements.iter().map(|statement| statement.role).collect();
    use Role::{Derivative, Local, Next, Noise};
    assert_eq!(roles, [Derivative, Derivative, Derivative, Next, Next, Noise, Noise, Local, Local, Local]);
    assert_eq!(statements[2].indices, ["1"]);
    assert_eq!(statements[9].arguments, ["u", "v"]);
    for statement in &statements {
        assert!(text[statement.at..].starts_with(&statement.name), "{statement:?}");
    }
}

#[test]
fn lines_and_separators() {
    let text = "# a comment\n\n ; x' = a +   # goes on\n  b*(c\n  - d) ; y' =\n 1;; z' = 2\r\n";
    assert_eq!(print_document(&parse_document(text).unwrap()), "x' = a + b*(c - d)\ny' = 1\nz' = 2");
    assert_eq!(parse_document(" \n# nothing\n;").unwrap(), []);
}

#[test]
fn delays_and_calls_are_told_apart() {
    let delayed = |text: &str| matches!(parse(text).kind, ExprKind::Delayed(..));
    assert!(delayed("x(t - tau)") && delayed("x[i](t - 2*tau)") && delayed("x((t - tau))"));
    assert!(!delayed("sin(t - tau)") && !delayed("x(tau - t)") && !delayed("x(t)") && !delayed("f(t - tau, 1)"));
    // A local function may be defined behind its use.
    let statements = parse_document("x' = f(t - tau) + x(t - tau)\nf(u) = u^2").unwrap();
    let ExprKind::Sum(terms) = &statements[0].body.kind else { panic!("a sum") };
    assert!(matches!(terms[0].1.kind, ExprKind::Call(..)) && matches!(terms[1].1.kind, ExprKind::Delayed(..)));
}

#[test]
fn latex() {
    for (text, expected) in [
        ("x' = sigma*(y - x)", r"\dot{x} = \sigma \left(y - x\right)"),
        ("x1' = -k_max*x1/(k_m + x1^2)", r"\dot{x}_{1} = -\frac{k_{\mathrm{max}} x_{1}}{k_{m} + x_{1}^{2}}"),
        ("x[i]' = x[i-1] + F", r"\dot{x}_{i} = x_{i-1} + F"),
        ("next(x) = r*x*(1 - x)", r"x_{n+1} = r x \left(1 - x\right)"),
        ("noise(x) = 0.5*x", r"g_{x} = 0.5 x"),
        ("w[i] = sum(j = 1..N, K[i, j])", r"w_{i} = \sum_{j=1}^{N} K_{ij}"),
        ("f(u) = abs(u)^2", r"f\left(u\right) = \left|u\right|^{2}"),
    ] {
        assert_eq!(latex_statement(&parse_document(text).unwrap()[0]), expected);
    }
    for (text, expected) in [
        ("a*sin(2*x)^2*b", r"a \sin^{2}\left(2 x\right) b"),
        ("exp(-x)^2", r"\left(e^{-x}\right)^{2}"),
        ("sqrt(x + 1)", r"\sqrt{x + 1}"),
        ("x(t - tau)", r"x\left(t - \tau\right)"),
        ("x(t - a - b)", r"x\left(t - \left(a + b\right)\right)"),
        ("1/x/y*z", r"\frac{1}{x y} z"),
        ("2*3", r"2 \cdot 3"),
        ("1.5e-7*a", r"\left(1.5 \cdot 10^{-7}\right) a"),
        ("max(a, b - 1)", r"\max(a, b - 1)"),
        ("step(x)*mod(x, 2)", r"\Theta(x) \left(x \bmod 2\right)"),
        ("where(x < 0, a, b)", r"\begin{cases} a & \text{if } x < 0 \\ b & \text{otherwise} \end{cases}"),
        ("maximum(i, x[i])", r"\max_{i} x_{i}"),
        ("μ*pi*kf*V_na", r"\mu \pi \mathrm{kf} V_{\mathrm{na}}"),
        ("(-a)*b", r"\left(-a\right) b"),
    ] {
        assert_eq!(latex_expression(&parse(text)), expected, "{text}");
    }
}

// ---- errors ---------------------------------------------------------------------------------------------------

/// Text, line and column of the error, and what its message must contain.
const ERRORS: &[(&str, usize, usize, &str)] = &[
    ("x' = a *", 1, 9, "expected an expression after `*`, found the end of the text"),
    ("x' = a * ; y' = 1", 1, 10, "expected an expression after `*`, found `;`"),
    ("x\ny' = 1", 1, 2, "expected `=`, `'`, `[` or `(`, found the end of the line"),
    ("x' = ", 1, 5, "expected an expression after `=`, found the end of the text"),
    ("x' = a b", 1, 8, "expected an operator or the end of the statement, found `b`; a product is written with `*`"),
    ("x' = 2x", 1, 6, "write `2*x`"),
    ("x' = 2(x)", 1, 7, "a product is written with `*`"),
    ("x' = (a + b", 1, 6, "this `(` is never closed"),
    ("x' = a + b)", 1, 11, "found `)` without a `(`"),
    ("x' = (a + b]", 1, 12, "expected `)` to close the `(`, found `]`"),
    ("x' = (a; b)", 1, 8, "`;` ends a statement, but the `(` before it is still open"),
    ("x' = a\ny' = 1e999", 2, 6, "too large"),
    ("x' = 1e-999", 1, 6, "too small"),
    ("x' = a^1/2", 1, 7, "is `(…^1)/2` or `…^(1/2)` meant"),
    ("x' = a^-1/k", 1, 7, "is `(…^-1)/k` or `…^(-1/k)` meant"),
    ("x' = b*2^a^1.0/2", 1, 11, "is `(…^1.0)/2` or `…^(1.0/2)` meant"),
    ("x' = +a", 1, 6, "expected an expression after `=`, found `+`; a leading `+` is left out"),
    ("x' = a//b", 1, 8, "`floor(a/b)`"),
    ("x' = ()", 1, 7, "expected an expression after `(`, found `)`"),
    ("x' = f()", 1, 8, "expected an expression after `(`, found `)`"),
    ("x' = f(a,)", 1, 10, "expected an expression after `,`, found `)`"),
    ("x'' = 1", 1, 3, "only first derivatives"),
    ("y = x' + 1", 1, 6, "`'` stands on the left of an equation only"),
    ("y = x = 1", 1, 7, "a statement has one `=`"),
    ("dx/dt = 1", 1, 3, "the derivative of x is written `x' = …`"),
    ("3 = x", 1, 1, "expected an equation or a definition"),
    ("t' = 1", 1, 1, "`t` is reserved"),
    ("pi = 3", 1, 1, "`pi` is reserved and cannot be defined"),
    ("next = 3", 1, 1, "`next` is reserved"),
    ("where = 3", 1, 1, "`where` is reserved"),
    ("sin(u) = u", 1, 1, "`sin` is a built-in function"),
    ("f(u, u) = u", 1, 6, "argument `u` appears twice"),
    ("f() = 1", 1, 3, "expected the name of an argument, found `)`"),
    ("f(t) = 1", 1, 3, "`t` is reserved and cannot be an argument (it is the time)"),
    ("f[i](u) = 1", 1, 5, "has no index"),
    ("x[i, i]' = 1", 1, 6, "index `i` appears twice on the left"),
    ("x[0]' = 1", 1, 3, "a whole number from 1"),
    ("x[1.5]' = 1", 1, 3, "a whole number from 1"),
    ("x[i+1]' = 1", 1, 4, "the left side of an equation holds plain indices"),
    ("next(2) = 1", 1, 6, "expected the name of a state variable"),
    ("next(x)' = 1", 1, 8, "expected `=`, found `'`"),
    ("x' = next(x)", 1, 6, "`next` is reserved for the left of an equation"),
    ("x' = sum", 1, 9, "expected `(` after the reserved word `sum`"),
    ("x' = sum(x[i])", 1, 10, "`sum` needs an index and an expression"),
    ("x' = sum(t, x)", 1, 10, "`t` is reserved and cannot be an index"),
    ("x' = sum(i = 1, x)", 1, 15, "expected an operator or `..`, found `,`"),
    ("x' = t(3)", 1, 7, "`t` is neither a function nor a vector"),
    ("x' = x[i](a)", 1, 10, "only a delay can follow an index"),
    ("x' = x(t + 1)", 1, 12, "the state at a later time is not known"),
    ("x' = where(a, 1, 2)", 1, 13, "expected a comparison"),
    ("x' = where(a = 1, 1, 2)", 1, 14, "a test for equality is written `==`"),
    ("x' = where(a < b < c, 1, 2)", 1, 18, "comparisons are not chained; write `a < b and b < …`"),
    ("x' = where(a < b, 1)", 1, 20, "the value otherwise"),
    ("x' = a < b", 1, 8, "a comparison stands in the first place of `where(condition, a, b)` only"),
    ("x' = (a < b)*2", 1, 6, "expected an expression, found a condition"),
    ("x' = a and b", 1, 8, "conditions stand in the first place"),
    ("x' = a − b", 1, 8, "a minus sign is written `-`"),
    ("x' = a × b", 1, 8, "a product is written `*`"),
    ("x' = a·b", 1, 7, "a product is written `*`"),
    ("x' = a²", 1, 7, "as in `x^2`"),
    ("x′ = a", 1, 2, "an apostrophe"),
    ("“x” = a", 1, 1, "without quotation marks"),
    ("x' = a ≤ b", 1, 8, "type `<=`"),
    ("x' = a % b", 1, 8, "`mod(a, b)`"),
    ("x' = a & b", 1, 8, "`and`"),
    ("x' = µ", 1, 6, "micro sign"),
    ("x' = é", 1, 6, "Greek letters"),
    ("x' = 1 .", 1, 8, "a decimal point needs a digit"),
    ("x' = \u{7}", 1, 6, "U+0007"),
    ("x' = b\n\ny' = (c\n + @)", 4, 4, "unexpected character `@`"),
];

#[test]
fn errors_point_at_the_character() {
    for &(text, line, column, part) in ERRORS {
        match parse_document(text) {
            Err(Error::Language { message, line: l, column: c, .. }) => {
                assert!(message.contains(part), "{text}\n  says {message}\n  not  {part}");
                assert_eq!((l, c), (line, column), "{text}: {message}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    for text in ["", "a\nb", "a;b", "a'", "x = 1"] {
        assert!(matches!(parse_expression(text), Err(Error::Language { .. })), "{text}");
    }
}

// ---- limits ---------------------------------------------------------------------------------------------------

fn message(text: &str) -> String {
    match parse_document(text) {
        Err(Error::Language { message, .. }) => message,
        other => panic!("{:?}", other.map(|statements| statements.len())),
    }
}

/// One text for each way to nest, `depth` levels deep.
fn nested(depth: usize) -> Vec<String> {
    let inside = |open: &str, core: &str, close: &str| format!("{}{core}{}", open.repeat(depth), close.repeat(depth));
    [
        inside("(", "a", ")"),
        inside("sin(", "a", ")"),
        inside("x[", "i", "]"),
        inside("a^", "a", ""),
        inside("-", "a", ""),
        format!("a*{}a", "-".repeat(depth)),
        inside("sum(i, ", "i", ")"),
        format!("where({}a < b{}, 1, 2)", "(".repeat(depth - 1), ")".repeat(depth - 1)),
        format!("where({}a < b, 1, 2)", "not ".repeat(depth - 1)),
        format!("where({}a < b, 1, 2)", "a < b and ".repeat(depth - 1)),
        format!("where({}a < b, 1, 2)", "a < b or ".repeat(depth - 1)),
        inside("where(a < b, 1, ", "2", ")"),
        inside("(a + ", "a", ")*b"),
    ]
    .into()
}

#[test]
fn nesting_is_bounded_and_fits_a_small_stack() {
    let check = || {
        for text in nested(200) {
            let tree = parse(&text);
            assert_eq!(parse(&print_expression(&tree)), tree);
            assert!(!latex_expression(&tree).is_empty());
            assert_eq!(tree.clone(), tree);
        }
        for depth in [201, 1000, 30_000] {
            for text in nested(depth) {
                let text = format!("x' = {text}");
                if text.len() < 100_000 {
                    assert_eq!(message(&text), "nested deeper than 200 levels", "{}", &text[..40]);
                } else {
                    message(&text);
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

#[test]
fn length_is_bounded() {
    let sum = |terms: usize| format!("x' = {}a", "a+".repeat(terms));
    assert_eq!(parse_document(&sum(49_997)).map(|statements| statements.len()), Ok(1));
    assert!(message(&sum(49_998)).contains("this statement is longer than 100000 characters"));
    assert!(message(&sum(500_000)).contains("the text is longer than 1000000 characters"));
    // Characters count, not bytes.
    assert!(parse_document(&format!("x' = {}", "σ".repeat(99_000))).is_ok());
}

#[test]
fn a_long_text_takes_linear_time() {
    let line = format!("x' = {}a # {}\n", "a*(b + c[i-1])^2 - where(x < 0, 1, 2)/d + ".repeat(200), "-".repeat(80));
    let mut texts = vec![line.repeat(1_000_000 / line.len())];
    for unit in [
        "(", "-", "a+", "a*", "a^", "x(t-", "where(", "a<b and ", "1", "\n", ";", "# ", "x[", ")", "a ", "é", "f(u)=u;",
    ] {
        texts.push(unit.repeat(1_000_000 / unit.chars().count()));
        texts.push(format!("x' = {}", unit.repeat(90_000 / unit.chars().count())));
    }
    for text in texts {
        let start = Instant::now();
        let _ = parse_document(&text);
        let spent = start.elapsed();
        // Milliseconds when optimised; a second leaves room for a busy machine and is far below quadratic time.
        assert!(spent < Duration::from_secs(1), "{:?} for {}…", spent, text.chars().take(20).collect::<String>());
    }
}

// ---- properties -----------------------------------------------------------------------------------------------

/// An expression at no particular place; equality ignores the place.
fn e(kind: ExprKind) -> Expr {
    Expr { kind, at: 0 }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["x", "y", "e", "E1", "k_max", "sigma", "σ", "t_0", "x1", "_a", "note", "sums"])
            .prop_map(str::to_owned),
        "[a-zA-Zα-ω_][a-zA-Z0-9_]{0,5}"
            .prop_filter("reserved or built in", |name| { parse_document(&format!("{name}(u) = u")).is_ok() }),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::sample::select(vec![0.0, 1.0, 2.0, 0.5, 1e16, 1e-5, 1e21, 1e-300, f64::MAX, f64::MIN_POSITIVE, 5e-324]),
        any::<f64>().prop_map(f64::abs).prop_filter("finite", |value| value.is_finite()),
        (0u32..1000).prop_map(f64::from),
    ]
}

/// Trees the parser can make: literals are not negative; sums and products are flat in their first place and have two
/// items or more; a delay is written by what is subtracted from t; a function of one argument is a built-in one.
fn expression() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        number().prop_map(|value| e(ExprKind::Number(value))),
        name().prop_map(|name| e(ExprKind::Name(name))),
        Just(e(ExprKind::Name("t".into()))),
        Just(e(ExprKind::Name("pi".into()))),
    ];
    leaf.prop_recursive(5, 48, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let rest = || prop::collection::vec((any::<bool>(), inner.clone()), 1..4);
        let list = |least: usize| prop::collection::vec(inner.clone(), least..4);
        let reduction =
            prop::sample::select(vec![Reduction::Sum, Reduction::Product, Reduction::Minimum, Reduction::Maximum]);
        let bounds = prop::option::of((inner.clone(), inner.clone()).prop_map(Box::new));
        prop_oneof![
            3 => (inner.clone(), rest()).prop_map(|(first, rest)| sum(first, rest)),
            3 => (inner.clone(), rest()).prop_map(|(first, rest)| product(first, rest)),
            2 => (boxed(), boxed()).prop_map(|(base, exponent)| e(ExprKind::Power(base, exponent))),
            2 => boxed().prop_map(|operand| e(ExprKind::Negate(operand))),
            1 => (name(), list(1)).prop_map(|(name, indices)| e(ExprKind::Index(name, indices))),
            1 => (name(), list(2)).prop_map(|(name, arguments)| e(ExprKind::Call(name, arguments))),
            1 => inner.clone().prop_map(|argument| e(ExprKind::Call("sin".into(), vec![argument]))),
            1 => (name(), prop::collection::vec(inner.clone(), 0..3), boxed()).prop_map(|(name, indices, delay)| {
                let target = if indices.is_empty() { ExprKind::Name(name) } else { ExprKind::Index(name, indices) };
                e(ExprKind::Delayed(Box::new(e(target)), delay))
            }),
            1 => (condition(inner.clone()), boxed(), boxed())
                .prop_map(|(condition, then, otherwise)| e(ExprKind::Where(Box::new(condition), then, otherwise))),
            1 => (reduction, name(), bounds, boxed())
                .prop_map(|(reduction, index, bounds, body)| e(ExprKind::Reduce(reduction, index, bounds, body))),
        ]
    })
}

fn sum(first: Expr, rest: Vec<(bool, Expr)>) -> Expr {
    let mut terms = match first.kind {
        ExprKind::Sum(terms) => terms,
        kind => vec![(Sign::Plus, e(kind))],
    };
    terms.extend(rest.into_iter().map(|(plus, term)| (if plus { Sign::Plus } else { Sign::Minus }, term)));
    e(ExprKind::Sum(terms))
}

fn product(first: Expr, rest: Vec<(bool, Expr)>) -> Expr {
    let mut factors = match first.kind {
        ExprKind::Product(factors) => factors,
        kind => vec![(Factor::Times, e(kind))],
    };
    factors.extend(rest.into_iter().map(|(times, factor)| (if times { Factor::Times } else { Factor::Over }, factor)));
    e(ExprKind::Product(factors))
}

fn condition(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Condition> {
    use Comparison::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let comparison = prop::sample::select(vec![Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual]);
    let leaf = (comparison, inner.clone(), inner).prop_map(|(how, left, right)| Condition::Compare(how, left, right));
    leaf.prop_recursive(3, 6, 2, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            (boxed(), boxed()).prop_map(|(left, right)| Condition::And(left, right)),
            (boxed(), boxed()).prop_map(|(left, right)| Condition::Or(left, right)),
            boxed().prop_map(Condition::Not),
        ]
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    let role = prop::sample::select(vec![Role::Derivative, Role::Next, Role::Noise, Role::Local]);
    let indices = prop::sample::select(vec![vec![], vec!["i"], vec!["i", "j"], vec!["1"], vec!["2", "i"]]);
    (role, name(), indices, expression()).prop_map(|(role, name, indices, body)| {
        let indices: Vec<String> = indices.into_iter().map(str::to_owned).collect();
        let process = (role == Role::Noise && indices.len() == 1).then(|| ("W".to_owned(), vec!["i".to_owned()]));
        Statement { role, name, indices, arguments: Vec::new(), process, body, at: 0 }
    })
}

/// Strings that look like the language, more often than not wrongly.
fn token_soup() -> impl Strategy<Value = String> {
    let words = "x y t pi i N f sin where sum product minimum maximum and or not next noise 1 2 0.5 1e3 .5 1..N \
                 + - * / ^ ** = == != < <= > >= ' , .. ( ) [ ] ( ) ; # ² − x' x[i]' (t-";
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.extend(["\n", " ", "x' = ", "next(x) = ", "where(x < 0, ", "sum(i, ", "x(t - tau)", "a^1/2"]);
    prop::collection::vec(prop::sample::select(words), 0..60).prop_map(|words| words.concat())
}

/// Never a panic; what is understood survives printing.
fn survives(text: &str) {
    if let Ok(statements) = parse_document(text) {
        let printed = print_document(&statements);
        let again = parse_document(&printed).unwrap_or_else(|error| panic!("{text}\nprinted as {printed}\n{error}"));
        assert_eq!(again, statements, "{text}\nprinted as {printed}");
        assert_eq!(print_document(&again), printed);
        let _: Vec<String> = statements.iter().map(latex_statement).collect();
    }
    if let Ok(expression) = parse_expression(text) {
        assert_eq!(parse(&print_expression(&expression)), expression);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_then_parsing_is_the_identity(tree in expression()) {
        let printed = print_expression(&tree);
        prop_assert_eq!(parse_expression(&printed).map_err(|error| format!("{printed}\n{error}")), Ok(tree), "{}", printed);
    }

    #[test]
    fn documents_survive_printing(statements in prop::collection::vec(statement(), 0..5)) {
        let printed = print_document(&statements);
        prop_assert_eq!(parse_document(&printed).map_err(|error| format!("{printed}\n{error}")), Ok(statements), "{}", printed);
    }

    #[test]
    fn numbers_survive_to_the_bit(value in number()) {
        let ExprKind::Number(again) = parse(&print_expression(&e(ExprKind::Number(value)))).kind else { panic!("a number") };
        prop_assert_eq!(again.to_bits(), value.to_bits());
    }

    #[test]
    fn token_soup_never_panics(text in token_soup()) {
        survives(&text);
    }

    #[test]
    fn any_unicode_never_panics(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn damaged_equations_never_panic(statements in prop::collection::vec(statement(), 1..3), at in any::<prop::sample::Index>(), c in any::<char>()) {
        let mut characters: Vec<char> = print_document(&statements).chars().collect();
        let place = at.index(characters.len());
        characters[place] = c;
        let mut damaged = String::new();
        for character in characters {
            write!(damaged, "{character}").unwrap();
        }
        survives(&damaged);
    }
}
