package status

import (
	"io"
	"net/http"
)

// Handler serves /metrics, /readyz and /livez.
func (s *Status) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = io.WriteString(w, s.Metrics())
	})
	mux.HandleFunc("GET /readyz", probe(s.Ready, "no full sync yet"))
	mux.HandleFunc("GET /livez", probe(s.Alive, "no full sync for too long"))
	return mux
}

func probe(ok func() bool, reason string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !ok() {
			http.Error(w, reason, http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	}
}
