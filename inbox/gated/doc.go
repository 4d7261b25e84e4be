// Package gated matches patterns of many alternatives, of which mostly none
// occurs, against the words of mails. It knows nothing of mail and keeps nothing.
package gated
