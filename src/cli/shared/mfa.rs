//! Asks the person at the terminal for the code of an MFA device.

use std::io;
use std::sync::{Mutex, PoisonError};

use crate::aws::MfaDevice;
use crate::console;

/// One question at a time: accounts are opened concurrently.
static TERMINAL: Mutex<()> = Mutex::new(());

/// The code. It is shown as it is typed: it works once, and only for some seconds.
pub(in crate::cli) fn ask_code(device: &MfaDevice) -> io::Result<String> {
    let _one_at_a_time = TERMINAL.lock().unwrap_or_else(PoisonError::into_inner);
    console::ask(format_args!("MFA code for profile {:?} ({}): ", device.profile, device.serial))
}
