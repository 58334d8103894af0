//! A store in a file loses nothing and mixes nothing, whatever ends the process that writes it.
//!
//! A process is killed at random moments and at every step that has a name, and while it writes, at any byte
//! (`kill`); what the disk holds is cut and damaged as the loss of power does (`torn`); the disk is full or must not be
//! written (`refused`); two processes commit at the same time (`rivals`); what was deleted is searched (`deletion`).
//!
//! All of it is seeded. `SUBROSA_CRASHES` multiplies the rounds, 1 unless it is set; `SUBROSA_SEED` is another seed.
//!
//! What all of them use: a `Folder`; a `Series` of batches, whose contents after each of them are known; a `Child`, which is
//! this program run again as another process; and `judge`, which opens what is left and says of which generation it is.

#![cfg(unix)]

mod crash {
    pub mod child;
    pub mod deletion;
    pub mod folder;
    pub mod judge;
    pub mod kill;
    pub mod random;
    pub mod refused;
    pub mod rivals;
    pub mod series;
    pub mod torn;
}
