package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"time"

	"galley/send/message"
	"galley/send/sendtest"
	"galley/send/store"
)

// verbs are all forms of lines, first match first. WORDS of a reply may hold
// " / " for a new line.
var verbs []verb

func init() {
	verbs = []verb{}
}
