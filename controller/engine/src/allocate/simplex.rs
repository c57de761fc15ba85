//! Small linear programs: maximise `c · x` under `A · x ≤ b`, `x ≥ 0`, with no `b` below zero.
//!
//! Then zero is a solution and every step leads from one solution to a better one, so that a program that
//! is cut short still answers with something that holds all its limits. The method is the simplex in
//! dictionary form on a dense table (Dantzig's rule); rows that a step does not touch cost nothing, which is
//! what makes it quick for programs whose parts hardly know each other. It refuses to be used for thousands
//! of variables.

/// Anything smaller is rounding.
const EPSILON: f64 = 1e-9;

/// A program in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    gains: Vec<f64>,
    rows: Vec<(Vec<(usize, f64)>, f64)>,
}

impl Program {
    /// A variable with its gain per unit.
    pub(crate) fn variable(&mut self, gain: f64) -> usize {
        self.gains.push(gain);
        self.gains.len() - 1
    }

    /// The sum of these parts stays within `limit`; a limit below zero counts as zero.
    pub(crate) fn limit(&mut self, parts: Vec<(usize, f64)>, limit: f64) {
        self.rows.push((parts, limit.max(0.0)));
    }

    /// The best values found within so many steps.
    pub(crate) fn maximise(&self, steps_max: usize) -> Vec<f64> {
        let mut table = Table::new(self);
        for _ in 0..steps_max {
            let Some((row, column)) = table.next_step() else { break };
            table.exchange(row, column);
        }
        table.values()
    }
}

/// Basic variables stand for rows, the others for columns; the last column is the right-hand side, the last row
/// the gain.
struct Table {
    cells: Vec<f64>,
    width: usize,
    basic: Vec<usize>,
    others: Vec<usize>,
}

impl Table {
    fn new(program: &Program) -> Self {
        let (count, rows) = (program.gains.len(), program.rows.len());
        let width = count + 1;
        let mut cells = vec![0.0; width * (rows + 1)];
        for (row, (parts, limit)) in program.rows.iter().enumerate() {
            for &(variable, factor) in parts {
                cells[row * width + variable] += factor;
            }
            cells[row * width + count] = *limit;
        }
        cells[rows * width..rows * width + count].copy_from_slice(&program.gains);
        Self { cells, width, basic: (count..count + rows).collect(), others: (0..count).collect() }
    }

    fn rows(&self) -> usize {
        self.basic.len()
    }

    /// The column with the largest gain, and the row that stops it first; `None` at the optimum.
    fn next_step(&self) -> Option<(usize, usize)> {
        let gains = &self.cells[self.rows() * self.width..][..self.others.len()];
        let (mut column, mut best) = (None, EPSILON);
        for (ix, &gain) in gains.iter().enumerate() {
            if gain > best {
                (column, best) = (Some(ix), gain);
            }
        }
        let column = column?;
        let (mut row, mut least) = (None, f64::INFINITY);
        for ix in 0..self.rows() {
            let cells = &self.cells[ix * self.width..];
            if cells[column] > EPSILON && cells[self.width - 1] / cells[column] < least {
                (row, least) = (Some(ix), cells[self.width - 1] / cells[column]);
            }
        }
        row.map(|row| (row, column))
    }

    fn exchange(&mut self, row: usize, column: usize) {
        let width = self.width;
        let pivot = self.cells[row * width + column];
        let mut pivot_row: Vec<f64> =
            self.cells[row * width..][..width].iter().map(|cell| cell / pivot).collect();
        pivot_row[column] = 1.0 / pivot;
        for ix in (0..=self.rows()).filter(|&ix| ix != row) {
            let cells = &mut self.cells[ix * width..][..width];
            let factor = cells[column];
            if factor != 0.0 {
                cells[column] = 0.0;
                for (cell, from) in cells.iter_mut().zip(&pivot_row) {
                    *cell -= factor * from;
                }
            }
        }
        self.cells[row * width..][..width].copy_from_slice(&pivot_row);
        core::mem::swap(&mut self.basic[row], &mut self.others[column]);
    }

    fn values(&self) -> Vec<f64> {
        let mut values = vec![0.0; self.others.len()];
        for (row, &variable) in self.basic.iter().enumerate() {
            if let Some(value) = values.get_mut(variable) {
                *value = self.cells[row * self.width + self.width - 1].max(0.0);
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_best_corner_of_a_textbook_program_is_found() {
        let mut program = Program::default();
        let (x, y) = (program.variable(3.0), program.variable(5.0));
        program.limit(vec![(x, 1.0)], 4.0);
        program.limit(vec![(y, 2.0)], 12.0);
        program.limit(vec![(x, 3.0), (y, 2.0)], 18.0);
        assert_eq!(program.maximise(100), [2.0, 6.0]);
    }

    proptest! {
        #[test]
        fn it_is_as_good_as_a_published_solver(
            gains in proptest::collection::vec(-1.0..5.0f64, 1..8),
            rows in proptest::collection::vec((proptest::collection::vec(-1.0..3.0f64, 8), 0.0..50.0f64), 0..12),
        ) {
            let mut ours = Program::default();
            let mut theirs = microlp::Problem::new(microlp::OptimizationDirection::Maximize);
            let ours_of: Vec<usize> = gains.iter().map(|&gain| ours.variable(gain)).collect();
            let theirs_of: Vec<_> = gains.iter().map(|&gain| theirs.add_var(gain, (0.0, 10.0))).collect();
            for &variable in &ours_of {
                ours.limit(vec![(variable, 1.0)], 10.0);
            }
            for (factors, limit) in &rows {
                ours.limit(ours_of.iter().copied().zip(factors.iter().copied()).collect(), *limit);
                let parts = theirs_of.iter().copied().zip(factors.iter().copied());
                theirs.add_constraint(parts, microlp::ComparisonOp::Le, *limit);
            }
            let values = ours.maximise(10_000);
            let gain: f64 = values.iter().zip(&gains).map(|(value, gain)| value * gain).sum();
            let best = theirs.solve().unwrap().into_solution().unwrap().objective();
            prop_assert!((gain - best).abs() < 1e-5 * (1.0 + best.abs()), "{gain}, but {best} is possible");
            for (factors, limit) in &rows {
                let sum: f64 = values.iter().zip(factors).map(|(value, factor)| value * factor).sum();
                prop_assert!(sum <= limit + 1e-6);
            }
        }
    }
}
