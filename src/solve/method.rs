//! The methods by name, and which of them suits a system.

use crate::error::{Error, Result, nearest};
use crate::system::{Kind, System};

/// How to integrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// What suits the system.
    Auto,
    /// Taylor series of adaptive step.
    Taylor,
    /// Tsitouras 5(4).
    Tsit5,
    /// Dormand & Prince 8(5,3).
    Dop853,
    /// The classical method of order 4 with a fixed step.
    Rk4,
    /// Iteration.
    Map,
    /// Runge-Kutta drift with Milstein's noise, fixed step.
    Milstein,
    /// Runge-Kutta drift with Euler's noise, fixed step.
    EulerMaruyama,
    /// Rodas5P, for stiff flows.
    Rodas5p,
    /// Composition of order 4 with a fixed step, for separable Hamiltonian flows.
    Symplectic4,
    /// Composition of order 8.
    Symplectic8,
}

impl Method {
    /// The methods by name.
    pub const NAMES: [(&'static str, Method); 11] = [
        ("auto", Method::Auto),
        ("taylor", Method::Taylor),
        ("tsit5", Method::Tsit5),
        ("dop853", Method::Dop853),
        ("rk4", Method::Rk4),
        ("map", Method::Map),
        ("milstein", Method::Milstein),
        ("euler_maruyama", Method::EulerMaruyama),
        ("rodas5p", Method::Rodas5p),
        ("symplectic4", Method::Symplectic4),
        ("symplectic8", Method::Symplectic8),
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The method of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn parse(name: &str) -> Result<Method> {
        if let Some((_, method)) = Self::NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(*method);
        }
        let names = Self::NAMES.map(|(name, _)| name);
        let hint = nearest(name, names).map_or(String::new(), |known| format!(", did you mean \"{known}\"?"));
        Err(Error::value(format!("unknown method \"{name}\"{hint} The methods are {}", names.join(", "))))
    }

    /// The method for `system`, refused where it does not apply.
    pub(super) fn settle(self, system: &System, forced: bool) -> Result<Method> {
        let kind = system.kind();
        let choice = match (self, kind) {
            (Method::Auto, Kind::Flow) if forced => Method::Milstein,
            (Method::Auto, Kind::Flow | Kind::Delay) if system.is_smooth() => Method::Taylor,
            (Method::Auto, Kind::Flow | Kind::Delay) => Method::Dop853,
            (Method::Auto, Kind::Map) => Method::Map,
            (Method::Auto, Kind::Stochastic) if system.milstein_applies().is_ok() => Method::Milstein,
            (Method::Auto, Kind::Stochastic) => Method::EulerMaruyama,
            (method, _) => method,
        };
        let fits = match choice {
            Method::Taylor | Method::Tsit5 | Method::Dop853 => matches!(kind, Kind::Flow | Kind::Delay) && !forced,
            Method::Rk4 | Method::Rodas5p | Method::Symplectic4 | Method::Symplectic8 => kind == Kind::Flow && !forced,
            Method::Map => kind == Kind::Map,
            Method::Milstein | Method::EulerMaruyama => kind == Kind::Stochastic || forced,
            Method::Auto => false,
        };
        if !fits {
            let what = if forced {
                "a system with stochastic forcing".to_owned()
            } else {
                format!("a {} system", kind.name())
            };
            return Err(Error::value(format!("method \"{}\" does not apply to {what}: use \"auto\"", choice.name())));
        }
        if matches!(choice, Method::Symplectic4 | Method::Symplectic8) {
            system.separation()?;
        }
        if choice == Method::Milstein {
            system.milstein_applies()?;
        }
        if choice == Method::Taylor && !system.is_smooth() {
            return Err(Error::value(
                "method \"taylor\" does not apply: the right-hand side has kinks or jumps (abs, sign, floor, where, ...), which Taylor series cannot see: \
                 use \"dop853\", \"tsit5\" or \"auto\"",
            ));
        }
        Ok(choice)
    }
}
