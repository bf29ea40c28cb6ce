package awsapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec" //nolint:depguard // a profile's credential_process is a program; only this file runs it
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// process is a credential_process. The SDK runs it with this program's own stderr,
// reads output of any length, and waits for every process that inherits stdout. The
// kubelet waits until stderr is closed, even past its own timeout. So this package
// runs the process, in a process group that it can kill, with limited output.
type process struct{ command string }

// containSource sets p as the credentials of the STS client that assumes a
// profile's role, if the client would use the SDK's credential_process
// (source_profile).
func (p *process) containSource(o *stscreds.AssumeRoleOptions) {
	if client, ok := o.Client.(*sts.Client); ok && isProcess(client.Options().Credentials) {
		o.Client = sts.New(client.Options(), func(o *sts.Options) { o.Credentials = p })
	}
}

func isProcess(provider aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(provider, (*processcreds.Provider)(nil))
}

// Retrieve runs the command. The SDK reads its output.
//
//nolint:contextcheck // the context comes from the given context's values
func (p *process) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if source, ok := ctx.Value(sourceKey{}).(context.Context); ok {
		ctx = source // the SDK's cache hides that the context is done
	}
	if end, ok := ctx.Deadline(); ok { // the process ends before the context does: the context's own error would hide the cause
		var cancel context.CancelFunc
		//nolint:forbidigo // the deadlines of contexts are in real time
		ctx, cancel = context.WithTimeoutCause(ctx, time.Until(end)*4/5, errors.New("it did not end in time"))
		defer cancel()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd, err := processcreds.DefaultNewCommandBuilder{Args: []string{p.command}}.NewCommand(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	stderr := &limitedBuffer{limit: 4 << 10}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, &limitedBuffer{limit: maxBody, full: cancel}, stderr
	cmd.WaitDelay = 500 * time.Millisecond // for children that keep its output open after it ends
	inOwnGroup(cmd)
	credentials, err := processcreds.NewProviderCommand(processcreds.NewCommandBuilderFunc(
		func(context.Context) (*exec.Cmd, error) { return cmd, nil })).Retrieve(ctx)
	if err == nil {
		return credentials, nil
	}
	if cmd.Process != nil {
		_ = cmd.Cancel() // kills its children, if any remain
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	detail := innermost(err).Error()
	if stderr.kept.Len() > 0 {
		detail += ": " + stderr.kept.String()
	}
	return aws.Credentials{}, &knownError{detail: detail, err: err, cause: cause{
		text: "the profile's credential_process failed: DETAIL", hint: "run the command as the kubelet's user to see why",
	}}
}

// limitedBuffer keeps the first bytes that are written, up to its limit.
type limitedBuffer struct {
	kept  bytes.Buffer // not embedded: io.Copy would call its ReadFrom, which has no limit
	limit int
	full  context.CancelCauseFunc // called when there is more; may be nil
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	start := p[:min(len(p), b.limit-b.kept.Len())]
	b.kept.Write(start)
	if len(start) < len(p) && b.full != nil {
		err := fmt.Errorf("its output is larger than %d bytes", b.limit)
		b.full(err)
		return len(start), err
	}
	return len(p), nil
}
