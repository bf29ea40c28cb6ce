package awsapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec" //nolint:depguard // a profile's credential_process is run by its nature; this is the one place
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// The SDK runs a profile's credential_process with this program's own stderr, and
// waits for whatever the process leaves behind. A kubelet waits for whoever holds
// stderr, too, past its own timeout. So the process is run here: in a process
// group that ends with it, its stderr kept for the error.

// containProcess replaces the SDK's credential_process by one that can hold
// nobody, where the configuration has one.
func containProcess(cfg *aws.Config) {
	if !aws.IsCredentialsProvider(cfg.Credentials, (*processcreds.Provider)(nil)) {
		return
	}
	for _, source := range cfg.ConfigSources {
		if shared, ok := source.(config.SharedConfig); ok && shared.CredentialProcess != "" {
			cfg.Credentials = &process{command: shared.CredentialProcess}
		}
	}
}

// process is a credential_process.
type process struct{ command string }

// processError is what a credential_process ended with, and said.
type processError struct {
	err    error
	stderr string
}

func (e *processError) Error() string {
	text := fmt.Sprintf("the profile's credential_process failed: %v", innermost(e.err))
	if e.stderr != "" {
		text += ": " + e.stderr
	}
	return text
}

func (e *processError) Unwrap() error { return e.err }

// Retrieve runs the command; the SDK reads its output.
func (p *process) Retrieve(ctx context.Context) (aws.Credentials, error) {
	var stderr bytes.Buffer
	command := processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
		return p.contained(ctx, &stderr), nil
	})
	credentials, err := processcreds.NewProviderCommand(command).Retrieve(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return aws.Credentials{}, &processError{err, printable.Line(stderr.String(), maxText)}
	}
	return credentials, nil
}

// waitDelay is how long the process's descendants may hold its output once it
// has ended.
const waitDelay = 500 * time.Millisecond

func (p *process) contained(ctx context.Context, stderr *bytes.Buffer) *exec.Cmd {
	shell := []string{"sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd.exe", "/C"}
	}
	cmd := exec.CommandContext(ctx, shell[0], append(shell[1:], p.command)...) //nolint:gosec // the operator's own command
	cmd.Stderr = &limitedBuffer{buffer: stderr}
	cmd.WaitDelay = waitDelay
	endWithGroup(cmd)
	return cmd
}

// limitedBuffer keeps the start of what is written.
type limitedBuffer struct{ buffer *bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	const most = 4 << 10
	b.buffer.Write(p[:min(len(p), most-min(most, b.buffer.Len()))])
	return len(p), nil
}
