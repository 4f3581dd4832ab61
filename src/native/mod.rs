//! What the packages' maintainer scripts would have left behind, made without running them.
