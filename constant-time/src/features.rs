//! What decides which code of the primitives runs: several have one kernel for each generation of processors.

macro_rules! features {
    ($($name:tt)*) => {
        /// Those that this processor, or the one that valgrind plays, says it has.
        pub fn here() -> String {
            let found = [$(($name, std::arch::is_x86_feature_detected!($name))),*];
            let found = found.iter().filter(|(_, found)| *found).map(|(name, _)| *name);
            found.collect::<Vec<_>>().join(" ")
        }
    };
}

features! {
    "ssse3" "sse4.1" "pclmulqdq" "aes" "avx" "avx2" "bmi1" "bmi2" "adx" "sha" "vaes" "vpclmulqdq" "avx512f"
    "avx512vl" "avx512ifma"
}
