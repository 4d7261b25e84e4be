// Package lint tells an editor what is wrong with an issue before it is sent.
//
// It is pure: it reads a rendered issue, the draft it came from and the answers
// that package probe got, and returns findings. Each names its line, quotes the
// words, says what is wrong and what to do. An error stops the approval, a
// warning informs, a note is a courtesy.
//
// It owns the checks and the canonical form of a link, by which the same page is
// known again in a later issue. It promises the same findings in the same order
// for the same input, and that a missing part (no sections listed, no past
// issues) only leaves out the checks that need it.
package lint
