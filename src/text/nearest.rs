//! "Did you mean": the known name most like a wrong one.

/// How alike two names must be for one to be suggested for the other, of 1: finds a slip or two in short names
/// (`rdz`, `ec-2`) and a missing word in long ones, without suggesting `sqs` for `lambda`.
const ALIKE: f64 = 0.78;

/// How alike two names are, of 1, whatever their letters' case; `None` where they don't resemble each other.
pub(crate) fn likeness(name: &str, known: &str) -> Option<f64> {
    Some(strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase())).filter(|likeness| *likeness >= ALIKE)
}

/// The name in `known` most like `name`; `None` where nothing resembles it.
pub(crate) fn nearest<'known>(name: &str, known: impl IntoIterator<Item = &'known str>) -> Option<&'known str> {
    known
        .into_iter()
        .filter_map(|candidate| Some((likeness(name, candidate)?, candidate)))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}
