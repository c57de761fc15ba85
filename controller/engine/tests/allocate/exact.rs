//! Max-min fairness by somebody else's linear programs: raise the worst served as far as possible, fix whoever
//! cannot get more, and again. Slow, and without a word of the allocation's own arithmetic.

use crate::checker::current;
use dlb_engine::site::Site;
use dlb_engine::snapshot::Snapshot;
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

/// Limits that everybody's limits in milliamperes must stay within: factors, and what is left.
struct Rows(Vec<(Vec<f64>, f64)>);

/// What each charger gets at the optimum; `highs`: what each can use at most. For sites between line and neutral
/// only: there the sums are plain.
pub(crate) fn max_min(site: &Site, snapshot: &Snapshot, highs: &[f64]) -> Vec<f64> {
    let rows = Rows::new(site, snapshot);
    let weights: Vec<f64> = site.chargers().iter().map(|charger| charger.weight).collect();
    let mut fixed: Vec<Option<f64>> = vec![None; highs.len()];
    while fixed.iter().any(Option::is_none) {
        let level = rows.solve(highs, &weights, &fixed, None, 0.0);
        for ix in 0..highs.len() {
            if fixed[ix].is_some() {
                continue;
            }
            let floor = weights[ix] * level;
            if floor >= highs[ix] - 1e-6
                || rows.solve(highs, &weights, &fixed, Some(ix), level) <= floor + 1e-3
            {
                fixed[ix] = Some(floor.min(highs[ix]));
            }
        }
    }
    fixed.into_iter().flatten().collect()
}

impl Rows {
    fn new(site: &Site, snapshot: &Snapshot) -> Self {
        let count = site.chargers().len();
        let mut rows = Vec::new();
        for (circuit, state) in snapshot.circuits.iter().enumerate() {
            for line in 0..3 {
                let alone = |ix: usize| {
                    let mut limits = vec![0.0; count];
                    limits[ix] = 1.0;
                    current(site, snapshot, &limits, circuit, line)
                };
                let left = state.limit.0[line].0 - state.other_load.0[line].0;
                rows.push(((0..count).map(alone).collect(), f64::from(left.max(0))));
            }
        }
        Self(rows)
    }

    /// The highest level for all that are open; or, at this level, the most that one of them could have.
    fn solve(
        &self,
        highs: &[f64],
        weights: &[f64],
        fixed: &[Option<f64>],
        one: Option<usize>,
        level: f64,
    ) -> f64 {
        let mut problem = Problem::new(OptimizationDirection::Maximize);
        let top = highs.iter().zip(weights).zip(fixed).filter(|(_, fixed)| fixed.is_none());
        let top = top.map(|((high, weight), _)| high / weight).fold(f64::INFINITY, f64::min);
        let height = if one.is_none() { Some(problem.add_var(1.0, (0.0, top))) } else { None };
        let variable = |ix: usize| {
            let range = match fixed[ix] {
                Some(value) => (value * (1.0 - 1e-9), value),
                None => ((weights[ix] * level * (1.0 - 1e-9)).min(highs[ix]), highs[ix]),
            };
            problem.add_var(if one == Some(ix) { 1.0 } else { 0.0 }, range)
        };
        let variables: Vec<Variable> = (0..highs.len()).map(variable).collect();
        for (factors, left) in &self.0 {
            let parts: Vec<_> = variables.iter().copied().zip(factors.iter().copied()).collect();
            problem.add_constraint(parts, ComparisonOp::Le, *left);
        }
        if let Some(height) = height {
            for (ix, &variable) in variables.iter().enumerate().filter(|(ix, _)| fixed[*ix].is_none()) {
                problem.add_constraint([(variable, 1.0), (height, -weights[ix])], ComparisonOp::Ge, 0.0);
            }
        }
        let solved = problem.solve().expect("zero is a solution").into_solution();
        solved.expect("nobody interrupts it").objective()
    }
}
