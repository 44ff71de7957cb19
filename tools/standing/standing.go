// Package standing holds the tests that every public action passes without
// being named in them: its example survives the wire in every dialect, the
// vendor's own Go SDK writes it so that it is read as it was meant, the answer
// is read by that SDK in full, and a request that is unsigned, refused by the
// policy, lacks a parameter, has one too many or one of the wrong type is
// refused by name.
//
// The actions run in rehearsal, without a world: what they do is tested beside
// them. The tests keep nothing, so there is nothing for a crash to leave behind.
package standing
