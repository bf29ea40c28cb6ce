package main

import "fmt"

// mutant is one break of the code. It replaces a text that a file contains exactly
// once. Then a test of one of the packages must fail.
type mutant struct {
	file, old, broken string
	packages          []string
}

func (m mutant) String() string { return fmt.Sprintf("%s: %q instead of %q", m.file, m.broken, m.old) }

// mutants are the breaks. To add one, copy a text that the file contains only once. The
// new text must compile.
var mutants = []mutant{
	{"pkg/registry/account.go", "len(s) != 12", "len(s) < 12", []string{"./pkg/registry"}},
	{"pkg/registry/region.go", "len(prefix) >= length", "len(prefix) < 3", []string{"./pkg/registry"}},
	{"pkg/registry/registry.go", "suffix != want", "len(suffix) != len(want)", []string{"./pkg/registry"}},
	{"pkg/registry/registry.go", "(p.fips || !f.fips)", "true", []string{"./pkg/registry"}},
	{"pkg/registry/pattern.go", "!r.IsZero() && overlap", "overlap", []string{"./pkg/registry"}},
	{"pkg/kubelet/response.go", "max(0, response.CacheDuration)", "response.CacheDuration", []string{"./pkg/kubelet"}},
	{"pkg/kubelet/request.go", "len(data) > maxRequest", "len(data) > 2*maxRequest", []string{"./pkg/kubelet"}},
	{"pkg/kubelet/request.go", "wire.APIVersion == versions[0]", "wire.APIVersion != \"\"", []string{"./pkg/kubelet"}},
	{"pkg/secret/text.go", "func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }", "", []string{"./pkg/secret"}},
	{"pkg/secret/text.go", "t.Reveal() == u.Reveal()", "t == u", []string{"./pkg/secret"}},
	{"pkg/trace/trace.go", "s.Spent + now.Sub(s.begin)", "now.Sub(s.begin)", []string{"./pkg/trace"}},
	{"pkg/trace/trace.go", "len(t.steps) == maxSteps", "len(t.steps) > maxSteps", []string{"./pkg/trace"}},
	{"pkg/plan/plan.go", "return Hash(append([]string{\"token\", string(encoded)}, source...)...), nil", "return Hash(string(encoded)), nil", []string{"./pkg/plan"}},
	{"pkg/plan/decision.go", "		p.NodeWhenRefused = entry.NodeWhenRefused\n", "", []string{"./pkg/plan"}},
	{"pkg/plan/sts.go", "&& !hasFIPS(region)\n", "&& hasFIPS(region)\n", []string{"./pkg/plan"}},
	{"pkg/plan/claims.go", "!utf8.Valid(payload)", "!utf8.Valid(payload) && false", []string{"./pkg/plan"}},
	{"pkg/rule/assume.go", "Tag{template.Key, template.Value.with(values)}", "Tag{template.Key, template.Value}", []string{"./pkg/rule", "./pkg/plan"}},
	{"pkg/provider/lifetime.go", "min(fresh, session, requested)", "min(fresh, session)", []string{"./pkg/provider"}},
	{"pkg/provider/mint.go", "kept.Fresh = min(kept.Fresh, Shorten(maxFallback, m.Random()))", "_ = maxFallback", []string{"./pkg/provider"}},
	{"pkg/provider/provider.go", "&& !strings.Contains(err.Error(), registry)", "&& strings.Contains(err.Error(), registry)", []string{"./pkg/provider"}},
	{"pkg/identity/chain.go", "!p.NodeWhenRefused || !errors.As(err, &refused)", "!p.NodeWhenRefused || !errors.As(err, &refused) && err == nil", []string{"./pkg/identity"}},
	{"pkg/identity/chain.go", "if parameters.ExternalID != \"\" {", "if parameters.ExternalID == \"\" {", []string{"./pkg/identity"}},
	{"pkg/identity/webidentity.go", "	c.API.KeepSecret(token)\n", "", []string{"./test/attacks"}},
	{"pkg/cache/entry.go", "class == failure.Refused || !e.valid(now)", "!e.valid(now)", []string{"./pkg/cache"}},
	{"pkg/cache/entry.go", "case e.valid(now) && learnedSince:", "case e.fresh(now) && learnedSince:", []string{"./pkg/cache"}},
	{"pkg/cache/codec.go", "	h.Write(key[:])\n", "", []string{"./pkg/cache"}},
	{"pkg/cache/codec.go", "e.Learned.Add(step), e.Minted.Add(step)", "e.Learned.Add(step), e.Minted.Add(0 * step)", []string{"./pkg/cache"}},
	{"pkg/config/entry.go", "!node && e.NodeWhenRefused", "!node && len(e.Name) > 1000", []string{"./pkg/config"}},
	{"pkg/config/file.go", "} else if !s.AnyOwner {", "} else if false {", []string{"./pkg/config"}},
	{"pkg/awsapi/clock.go", "max(0, min(byNode, byNode-a.Skew()))", "max(0, byNode-a.Skew())", []string{"./pkg/awsapi", "./pkg/ecr"}},
	{"pkg/ecr/token.go", "!utf8.Valid(decoded)", "!utf8.Valid(decoded) && false", []string{"./pkg/ecr"}},
	{"pkg/command/configuration.go", "_, err := os.Lstat(path)\n", "_, err := os.Stat(path)\n", []string{"./pkg/cli"}},
	{"pkg/command/process.go", "if p.StderrTerminal || !caller {", "if p.StderrTerminal {", []string{"./pkg/command"}},
	{"pkg/requestlog/entry.go", "e.level = slog.LevelWarn", "e.level = slog.LevelInfo", []string{"./pkg/requestlog"}},
	{"pkg/requestlog/file.go", "return checkOwner(info)", "return nil", []string{"./pkg/requestlog"}},
	{"test/fakeaws/principal.go", "return who == Everybody ||", "return true ||", []string{"./test/fakeaws"}},
	{"test/fakeaws/role.go", "if t.TagSession {", "if true {", []string{"./test/fakeaws"}},
	{"test/fakeaws/switch.go", "f.Times--; f.Times == 0", "f.Times--; f.Times < 0", []string{"./test/fakeaws"}},
	{"test/fakeaws/socket_linux.go", "{{Code: syscall.BPF_RET | syscall.BPF_K}}", "{{Code: syscall.BPF_RET | syscall.BPF_K, K: 1 << 16}}", []string{"./test/fakeaws"}},
	{"test/fakeaws/listener.go", "wait = 2 * c.roundTrip", "wait = c.roundTrip", []string{"./test/fakeaws"}},
}
