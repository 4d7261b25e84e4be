// Package corpora finds the real mail and the newsletters that nobody here
// wrote, for the tests of every room. They lie beside the module and not in
// it, since most of them may be read and not copied: at ../shared/corpora as
// seen from the module's root, or where GALLEY_CORPORA says. Its README.txt
// lists the folders, and each folder's SOURCE.txt says whose they are.
//
// A test that needs them is skipped where they are not, except in CI (the
// environment has CI set), where that would hide everything.
package corpora
