//! The part of `curve25519-dalek` that the core calls, without the arithmetic: whatever goes in, the compiler knows
//! nothing of what comes out.
#![no_std]

/// Points of the twisted Edwards form.
pub mod edwards {
    use core::hint::black_box;

    use zeroize::Zeroize;

    use crate::montgomery::MontgomeryPoint;

    /// A point that is none.
    #[derive(Clone, Copy)]
    pub struct EdwardsPoint(pub(crate) [u8; 160]);

    impl EdwardsPoint {
        pub fn mul_base_clamped(scalar: [u8; 32]) -> Self {
            black_box(scalar);
            black_box(Self([0; 160]))
        }

        pub fn mul_clamped(self, scalar: [u8; 32]) -> Self {
            black_box(scalar);
            black_box(self)
        }

        pub fn to_montgomery(&self) -> MontgomeryPoint {
            black_box(self);
            black_box(MontgomeryPoint([0; 32]))
        }

        pub fn is_torsion_free(&self) -> bool {
            black_box(self);
            black_box(true)
        }

        pub fn is_small_order(&self) -> bool {
            black_box(self);
            black_box(false)
        }
    }

    impl Zeroize for EdwardsPoint {
        fn zeroize(&mut self) {
            self.0.zeroize();
        }
    }
}

/// u-coordinates.
pub mod montgomery {
    use core::hint::black_box;

    use zeroize::Zeroize;

    use crate::edwards::EdwardsPoint;
    use crate::traits::IsIdentity;

    /// A u-coordinate that is none.
    #[derive(Clone, Copy)]
    pub struct MontgomeryPoint(pub [u8; 32]);

    impl MontgomeryPoint {
        pub fn mul_clamped(self, scalar: [u8; 32]) -> Self {
            black_box(scalar);
            black_box(self)
        }

        pub fn to_edwards(&self, sign: u8) -> Option<EdwardsPoint> {
            black_box((self, sign));
            black_box(Some(EdwardsPoint([0; 160])))
        }

        pub const fn to_bytes(&self) -> [u8; 32] {
            self.0
        }
    }

    impl IsIdentity for MontgomeryPoint {
        fn is_identity(&self) -> bool {
            black_box(self);
            black_box(false)
        }
    }

    impl Zeroize for MontgomeryPoint {
        fn zeroize(&mut self) {
            self.0.zeroize();
        }
    }
}

/// What is asked of points.
pub mod traits {
    pub trait IsIdentity {
        fn is_identity(&self) -> bool;
    }
}
