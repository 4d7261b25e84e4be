package main

import "net/http"

func (h *house) site() http.Handler { return http.NotFoundHandler() }
