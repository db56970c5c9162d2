//! Coefficients of Rosenbrock-Wanner methods, beside their sources.

/// A Rosenbrock-Wanner method in the form that needs no product with the Jacobian (Hairer & Wanner 1996, IV.7.25):
///
/// `(I/(h gamma) - J) u_s = f(t + c_s h, y + sum a_sj u_j) + d_s h f_t + sum (k_sj / h) u_j`
///
/// The last row of `a`, with a weight of 1 for the last stage, gives the new state, and the last stage is the error of the embedded
/// formula. The interpolant is `y + theta (y' - y + (1 - theta) (p_0 + theta (p_1 + theta p_2)))` with `p_m = sum h_mj u_j`.
#[derive(Debug)]
pub struct RosenbrockTableau {
    /// Name that users type.
    pub name: &'static str,
    /// Power of the step with which the error estimate vanishes.
    pub error_order: u32,
    /// Factor on the error estimate, such that the achieved error stays within ten times the tolerance.
    pub caution: f64,
    /// The diagonal coefficient.
    pub gamma: f64,
    /// Strictly lower triangles.
    pub a: [[f64; STAGES]; STAGES],
    /// See above.
    pub k: [[f64; STAGES]; STAGES],
    /// Places of the stages in the step.
    pub c: [f64; STAGES],
    /// Weights of the derivative in time.
    pub d: [f64; STAGES],
    /// Weights of the interpolant.
    pub h: [[f64; STAGES]; 3],
}

/// Stages of the methods here.
pub const STAGES: usize = 8;

/// Rodas5P: order 5, stiffly accurate, L-stable, interpolant of order 4.
///
/// Steinebach, G. (2023), Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia Differential
/// Equations package, BIT Numer. Math. 63, 27. The numbers are the author's, as in the table of OrdinaryDiffEq.jl.
pub static RODAS5P: RosenbrockTableau = RosenbrockTableau {
    name: "rodas5p",
    error_order: 5,
    caution: 1.0,
    gamma: 0.21193756319429014,
    a: [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [2.849394379747939, 0.45842242204463923, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-6.954028509809101, 2.489845061869568, -10.358996098473584, 0.0, 0.0, 0.0, 0.0, 0.0],
        [2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641, 0.0, 0.0, 0.0, 0.0],
        [
            -7.502846399306121,
            2.561846144803919,
            -11.627539656261098,
            -0.18268767659942256,
            0.030198172008377946,
            0.0,
            0.0,
            0.0,
        ],
        [
            -7.502846399306121,
            2.561846144803919,
            -11.627539656261098,
            -0.18268767659942256,
            0.030198172008377946,
            1.0,
            0.0,
            0.0,
        ],
        [
            -7.502846399306121,
            2.561846144803919,
            -11.627539656261098,
            -0.18268767659942256,
            0.030198172008377946,
            1.0,
            1.0,
            0.0,
        ],
    ],
    k: [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-14.155112264123755, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-17.97296035885952, -2.859693295451294, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [147.12150275711716, -1.41221402718213, 71.68940251302358, 0.0, 0.0, 0.0, 0.0, 0.0],
        [165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306, 0.0, 0.0, 0.0, 0.0],
        [
            24.854864614690072,
            -3.0009227002832186,
            47.4931110020768,
            5.5814197821558125,
            -0.6610691825249471,
            0.0,
            0.0,
            0.0,
        ],
        [
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
            0.0,
            0.0,
        ],
        [
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
            0.0,
        ],
    ],
    c: [0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0],
    d: [
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ],
    h: [
        [
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ],
        [
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ],
        [
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ],
    ],
};
