package app

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2" //nolint:depguard // client-go logs with klog, and its lines must have the same form

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// newLog returns a log that writes lines of JSON. A redactor removes secrets from every
// line.
func newLog(w io.Writer, secrets func() []secret.Text) *slog.Logger {
	return slog.New(slog.NewJSONHandler(redactingWriter{w, secrets}, nil))
}

// withLog returns a context with which client-go writes to this redacting log, because an
// API server may quote a request. The few lines that client-go writes without a context
// go to the log of the latest call of withLog in this process.
func withLog(ctx context.Context, log *slog.Logger) context.Context {
	log = log.With("component", "client-go")
	klog.SetSlogLogger(log)
	return klog.NewContext(ctx, logr.FromSlogHandler(log.Handler()))
}

type redactingWriter struct {
	to      io.Writer
	secrets func() []secret.Text
}

// Write writes a line without secrets.
func (w redactingWriter) Write(line []byte) (int, error) {
	if _, err := io.WriteString(w.to, redact(string(line), w.secrets())); err != nil {
		return 0, err
	}
	return len(line), nil
}

func redact(text string, secrets []secret.Text) string {
	var r secret.Redactor
	for _, s := range secrets {
		r.Add(s)
	}
	return r.Redact(text)
}

// secrets returns the current tokens in all their forms.
func (a *app) secrets() (all []secret.Text) {
	if a.keeper == nil {
		return nil
	}
	var last secret.Text
	for _, c := range a.keeper.Credentials() {
		if !c.Login.Equal(last) { // keys that share a token follow each other
			all = append(all, forms(c.Login)...)
		}
		last = c.Login
	}
	return all
}

// forms returns the forms in which an error may quote a login: the password, the login
// in base64 as in a Secret's content, and this in base64 again as in a request. The last
// form has three variants, because base64 encodes groups of three bytes. It is without
// its ends, which depend on the text around the login.
func forms(login secret.Text) []secret.Text {
	_, password := login.Cut(":")
	auth := base64.StdEncoding.EncodeToString([]byte(login.Reveal()))
	all := []secret.Text{password, secret.New(auth)}
	for position := range 3 {
		data := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", position) + auth))
		all = append(all, secret.New(data[4:len(data)-4]))
	}
	return all
}

// clean returns an error in one line without secrets.
func (a *app) clean(err error) string {
	return printable.Line(redact(err.Error(), a.secrets()), command.MaxLine)
}

func classOf(err error) string {
	class, _ := failure.Of(err)
	return class.String()
}
