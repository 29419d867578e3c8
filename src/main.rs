//! The binary: see the library.

use std::process::ExitCode;

/// musl's own returns each large buffer to the system at once, and every log file needs some. glibc's takes more time for many small texts.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trailcreator::cli::main()
}
