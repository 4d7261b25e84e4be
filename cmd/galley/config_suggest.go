package main

import (
	"reflect"
	"slices"
	"strings"
)

// suggest is the remedy for a key that does not exist: the nearest one of
// the same table, or all of them.
func suggest(key string) string {
	parent, last := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		parent, last = key[:i], key[i+1:]
	}
	t, ok := tableType(reflect.TypeFor[Config](), parent)
	if !ok {
		return "take the table out"
	}
	names := settings(t)
	nearest, least := "", len(last)/2+1 // a word of which half differs is another word
	for _, n := range names {
		if diff := distance(last, n); diff < least {
			nearest, least = n, diff
		}
	}
	if nearest != "" {
		return `did you mean "` + nearest + `"?`
	}
	return "the settings here are " + strings.Join(names, ", ")
}

// tableType finds the struct that a dotted key leads to.
func tableType(t reflect.Type, key string) (reflect.Type, bool) {
	for _, name := range strings.FieldsFunc(key, func(r rune) bool { return r == '.' }) {
		f, ok := t.FieldByNameFunc(func(field string) bool {
			f, _ := t.FieldByName(field)
			return f.Tag.Get("toml") == name
		})
		if !ok {
			return nil, false
		}
		t = f.Type
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
	}
	return t, t.Kind() == reflect.Struct
}

// settings are the keys of a table, in the order in which they are declared.
func settings(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("toml"); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// distance counts the letters to change, add or take out until a is b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{change, row[j] + 1, diagonal + 1})
		}
	}
	return row[len(b)]
}
