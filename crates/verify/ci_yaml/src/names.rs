//! Names of the instances of parallel jobs.

use crate::model::{MatrixRow, Parallel};

/// Names all instances of a parallel job in order.
pub(crate) fn instances(job: &str, parallel: &Parallel) -> Vec<String> {
    match parallel {
        Parallel::Count(total) => (1..=*total).map(|index| format!("{job} {index}/{total}")).collect(),
        Parallel::Matrix(rows) => rows.iter().map(|row| matrix(job, row)).collect(),
    }
}

/// Names the instance of a row.
pub(crate) fn matrix(job: &str, row: &MatrixRow) -> String {
    let values: Vec<&str> = row.iter().map(|(_, value)| value.as_str()).collect();
    format!("{job}: [{}]", values.join(", "))
}

/// Tells whether a row has all the values of one of the wanted rows.
pub(crate) fn chosen(row: &MatrixRow, wanted: &[MatrixRow]) -> bool {
    wanted.iter().any(|want| want.iter().all(|pair| row.contains(pair)))
}
