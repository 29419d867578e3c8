//! Calls libdeflate directly, because `libdeflater` does not return how many bytes of the input were read. Only if all were read is it
//! certain that nothing follows the first stream.
//!
//! # Safety
//! libdeflate reads and writes only in the memory that it is given with its length: those of slices that live as long as the call. A
//! decompressor is freed once, and is used by one call at a time, because [`Decompressor::inflate`] borrows it mutably.

#![allow(unsafe_code, reason = "calls of a C library; the argument is above")]

use std::ptr::NonNull;

use libdeflate_sys::{
    libdeflate_alloc_decompressor, libdeflate_decompressor, libdeflate_deflate_decompress_ex,
    libdeflate_free_decompressor, libdeflate_result_LIBDEFLATE_SUCCESS,
};

/// Decompresses deflate streams (RFC 1951).
pub(super) struct Decompressor(NonNull<libdeflate_decompressor>);

// SAFETY: it is memory that no thread is bound to. libdeflater says the same of its own.
unsafe impl Send for Decompressor {}

impl Default for Decompressor {
    fn default() -> Self {
        // SAFETY: it can be called at any time.
        let decompressor = unsafe { libdeflate_alloc_decompressor() };
        Self(NonNull::new(decompressor).expect("there is memory for a decompressor"))
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: it was allocated by libdeflate, and is not used again.
        unsafe { libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}

/// Sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inflated {
    /// Of the stream, which can be followed by other bytes.
    pub(super) stored: usize,
    /// Of what it holds.
    pub(super) decompressed: usize,
}

impl Decompressor {
    /// Decompresses the stream at the beginning of `stored` to the beginning of `bytes`. `None` if it is damaged, ends too early, or holds
    /// more.
    pub(super) fn inflate(&mut self, stored: &[u8], bytes: &mut [u8]) -> Option<Inflated> {
        let mut inflated = Inflated { stored: 0, decompressed: 0 };
        // SAFETY: see above.
        let result = unsafe {
            libdeflate_deflate_decompress_ex(
                self.0.as_ptr(),
                stored.as_ptr().cast(),
                stored.len(),
                bytes.as_mut_ptr().cast(),
                bytes.len(),
                &raw mut inflated.stored,
                &raw mut inflated.decompressed,
            )
        };
        (result == libdeflate_result_LIBDEFLATE_SUCCESS).then_some(inflated)
    }
}
