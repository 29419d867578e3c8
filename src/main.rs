//! The binary: see the library.

use std::process::ExitCode;

/// musl's own returns each large buffer to the system at once, and every log file needs some.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trailcreator::cli::main()
}
