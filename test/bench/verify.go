//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// verify checks the outcome of a run: an answer with the right token, or a failure if the
// row expects one. So the bench measures only what the row describes.
func verify(aws *distantAWS, r row, dir string, s sample) error {
	if r.role == "" {
		if s.failed != r.processes {
			return fmt.Errorf("%d of %d failed, want all", s.failed, r.processes)
		}
		return nil
	}
	for i := range r.processes {
		file := filepath.Join(dir, fmt.Sprintf("answer.%d", i))
		answer, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := verifyAnswer(aws, r, answer); err != nil {
			said, _ := os.ReadFile(file + ".err")
			return fmt.Errorf("%w; stderr: %s", err, said)
		}
	}
	return nil
}

// verifyAnswer checks that an answer has a token for the row's registry and role.
func verifyAnswer(aws *distantAWS, r row, answer []byte) error {
	var response struct {
		CacheDuration string
		Auth          map[string]struct{ Username, Password string }
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	host, _, _ := strings.Cut(r.image, "/")
	auth, ok := response.Auth[host]
	if !ok || auth.Username != "AWS" || response.CacheDuration == "" {
		return fmt.Errorf("no credentials for %s in the answer", host)
	}
	grant, err := aws.World.ReadToken(auth.Password)
	if err != nil {
		return err
	}
	if grant.Role != r.role || grant.Region != "eu-west-1" {
		return fmt.Errorf("a token of %s for %s, want one of %s", grant.Role, grant.Region, r.role)
	}
	return nil
}
