package inline

import (
	"strings"
	"testing"
	"time"
)

// TestHostileSheets checks that a sheet that was made to hurt neither hangs nor
// breaks out of its style, and that the element it dresses stays in the page.
func TestHostileSheets(t *testing.T) {
	for name, sheet := range map[string]string{
		"braces without end":     strings.Repeat("a{", 20_000),
		"brackets without end":   "p{width:" + strings.Repeat("calc(", 20_000),
		"a string without end":   `p{content:"` + strings.Repeat(`\"`, 20_000),
		"a comment without end":  "/*" + strings.Repeat("*", 40_000),
		"properties in a circle": ":root{--a:var(--b);--b:var(--a) var(--a)}p{color:var(--a)}",
		"selectors by thousands": strings.Repeat("p:not(.x) ~ ", 2000) + "p{color:red}",
		"a quote in a value":     `p{font-family:"a\" onclick=\"alert(1)"}`,
		"character data":         "<![CDATA[ b{color:red} ]]>",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			out := mustInline(t, page(sheet, `<p class="x">kept</p>`))
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s for %d bytes", took, len(sheet))
			}
			if !strings.Contains(out, ">kept</p>") || strings.Contains(out, ` onclick="`) {
				t.Errorf("the page is damaged: %.300s", out)
			}
		})
	}
	if out := mustInline(t, page("<![CDATA[\np{color:red}\n]]>", "<p>x</p>")); !strings.Contains(out, `<p style="color:red">`) {
		t.Errorf("the rule between the marks of character data is lost: %s", out)
	}
}
