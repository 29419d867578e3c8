//! One server for both tests, filled once: making everything takes longer than all else.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::world::{Made, create};
use crate::common::Moto;

/// What moto gets wrong of AWS's ways and the types suffer from.
const REPAIRS: &str = include_str!("../../catalog/repairs.py");

/// The server and what was made on it.
pub(super) struct Lab {
    pub(super) moto: Moto,
    pub(super) made: Vec<Made>,
}

/// The lab, for one test at a time: each leaves it as it was.
pub(super) fn lab() -> MutexGuard<'static, Lab> {
    static LAB: OnceLock<Mutex<Lab>> = OnceLock::new();
    let fill = || {
        let moto = Moto::start_with(REPAIRS);
        let made = create(&moto, "");
        Mutex::new(Lab { moto, made })
    };
    LAB.get_or_init(fill).lock().unwrap_or_else(PoisonError::into_inner)
}
