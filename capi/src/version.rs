//! Which interface this is.

/// Major version of the interface.
pub const SUBROSA_ABI_MAJOR: u32 = 0;
/// Minor version of the interface.
pub const SUBROSA_ABI_MINOR: u32 = 1;

/// `major << 16 | minor`.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_abi_version() -> u32 {
    SUBROSA_ABI_MAJOR << 16 | SUBROSA_ABI_MINOR
}
