//! Instructions on the bits of numbers that every processor with AVX2 has. Without them, the number of bits takes a dozen instructions.

use std::arch::is_x86_feature_detected;

/// Whether the processor has the instructions.
pub(super) fn is_supported() -> bool {
    is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2")
}

/// Calls a function. What is inlined is compiled for these instructions.
#[target_feature(enable = "popcnt,bmi1,bmi2")]
pub(super) fn call<R>(work: impl FnOnce() -> R) -> R {
    work()
}
