//! A hostile AWS between the binary and moto: whatever the faults, no tag is lost, wrong, or reported otherwise than AWS has it.

mod damaged;
mod history;
mod scripts;
mod second_writer;
pub(crate) mod world;
