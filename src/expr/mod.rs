//! The language: text, syntax tree, expression graph, program.

pub mod ast;
pub mod differentiate;
pub mod eval;
pub mod expand;
pub mod functions;
pub mod graph;
pub mod jet;
mod latex;
mod lexer;
mod parser;
mod printer;
pub mod program;
pub mod rename;
pub mod series;
mod source;
mod visit;

pub use latex::{latex_expression, latex_statement, latex_stochastic};
pub use parser::{parse_document, parse_expression};
pub use printer::{print_document, print_expression, print_statement};
pub use source::{numpy_source, text_of};
