package install

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUnitEnvironment: the unit has the kubelet's identity, proxies and CA certificates,
// whether the kubelet runs or not.
func TestUnitEnvironment(t *testing.T) {
	t.Parallel()
	want := []string{
		`Environment="AWS_PROFILE=node 100%%"`, `Environment="AWS_REGION=eu-west-1"`, `Environment="HOME=/root"`,
		`Environment="HTTPS_PROXY=http://proxy:3128"`, `Environment="SSL_CERT_FILE=/etc/ca.pem"`, `Environment="no_proxy=10.0.0.0/8"`,
	}
	for name, prepare := range map[string]func(*testNode){
		"a running kubelet": func(n *testNode) {
			n.runKubelet("PATH=/bin\x00AWS_REGION=us-east-1\x00AWS_REGION=eu-west-1\x00HOME=/root\x00AWS_PROFILE=node 100%\x00" +
				"HTTPS_PROXY=http://proxy:3128\x00no_proxy=10.0.0.0/8\x00SSL_CERT_FILE=/etc/ca.pem\x00")
		},
		"its unit": func(n *testNode) {
			n.write("/usr/lib/systemd/system/kubelet.service", "[Service]\nEnvironment=AWS_REGION=us-east-1 A=b\nEnvironment=HOME=/root\n")
			n.write("/etc/systemd/system/kubelet.service.d/10.conf", "[Service]\nEnvironment=\"AWS_PROFILE=node 100%\" 'AWS_REGION=x'\nEnvironmentFile=-/etc/env\n")
			n.write("/etc/env", "# a comment\nAWS_REGION=\"eu-west-1\"\n\nB=c\nHTTPS_PROXY=http://proxy:3128\nno_proxy=10.0.0.0/8\nSSL_CERT_FILE=/etc/ca.pem\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := disks["AL2"].node(t)
			prepare(n)
			n.install()
			var got []string
			for line := range strings.Lines(n.read(unitDir + "/" + refreshUnit)) {
				if strings.HasPrefix(line, "Environment=") {
					got = append(got, strings.TrimSpace(line))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoUnits: if nothing can be refreshed, there are no units, and the plan says why.
func TestNoUnits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*testNode)
		want   string
	}{
		"no systemd":   {func(n *testNode) { n.remove("/usr/lib/systemd/systemd") }, "without systemd nothing refreshes tokens"},
		"no cache":     {func(n *testNode) { n.writeFile(n.options.Config, head+oneRole+"cache: {directory: \"\"}\n", 0o600) }, "nothing can be refreshed ahead of time: the cache is off"},
		"pods only":    {func(n *testNode) { n.writeFile(n.options.Config, head+"registries:\n"+ofPods, 0o600) }, "every entry starts with a pod's service account"},
		"a static key": {func(n *testNode) { n.runKubelet("AWS_SECRET_ACCESS_KEY=geheim-geheim\x00") }, "static AWS credentials, which belong in no unit"},
		"a proxy's login": {
			func(n *testNode) { n.runKubelet("https_proxy=http://user:geheim-geheim@proxy:3128\x00") },
			"a proxy with a user or a password, which belong in no unit",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := disks["AL2023"].node(t)
			test.change(n)
			n.install()
			if n.disk().exists(unitDir + "/" + refreshUnit) {
				t.Errorf("got %s, want no unit", refreshUnit)
			}
			if !strings.Contains(n.out.String(), test.want) || strings.Contains(n.out.String(), "geheim") {
				t.Errorf("got the plan %s, want %q and no secret", n.out.String(), test.want)
			}
		})
	}
}

// TestSystemd: how install calls systemd's programs, and how it uses their output.
func TestSystemd(t *testing.T) {
	t.Parallel()
	var asked []string
	answer, fails := "ActiveState=active\nMainPID=42\n", error(nil)
	s := Systemd{Execute: func(_ context.Context, name string, args ...string) (string, error) {
		asked = append(asked, name+" "+strings.Join(args, " "))
		return answer, fails
	}}
	status, err := s.Status(t.Context(), "kubelet")
	if err != nil || status != (Status{State: "active", PID: 42}) {
		t.Errorf("got %v, error %v, want active with process 42", status, err)
	}
	answer = "MainPID=x\n"
	if _, err := s.Status(t.Context(), "kubelet"); err == nil {
		t.Error("process x: got no error, want one")
	}
	if err := s.Restart(t.Context(), "kubelet"); err != nil {
		t.Error(err)
	}
	answer, fails = "no such unit\n", errors.New("exit status 4")
	if err := s.Restart(t.Context(), "kubelet"); err == nil || err.Error() != "systemctl restart kubelet: exit status 4 no such unit" {
		t.Errorf("failed restart: got %v, want systemctl's error", err)
	}
	if _, err := s.Status(t.Context(), "kubelet"); err == nil {
		t.Error("failed show: got no error, want one")
	}
	fails = nil
	for _, call := range []func() error{
		func() error { return s.Reload(t.Context()) },
		func() error { return s.Start(t.Context(), "a", "b") },
		func() error { return s.Stop(t.Context(), "a") },
		func() error { _, err := s.Log(t.Context(), "kubelet"); return err },
	} {
		if err := call(); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"systemctl show --property=ActiveState,MainPID kubelet", "systemctl show --property=ActiveState,MainPID kubelet",
		"systemctl reset-failed kubelet", "systemctl restart kubelet",
		"systemctl reset-failed kubelet", "systemctl restart kubelet", "systemctl show --property=ActiveState,MainPID kubelet",
		"systemctl daemon-reload", "systemctl start --no-block a b", "systemctl stop a",
		"journalctl --unit=kubelet --lines=200 --output=cat --no-pager",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestQuoted: no variable of the kubelet can end its line in the unit.
func TestQuoted(t *testing.T) {
	t.Parallel()
	n := disks["AL2"].node(t)
	n.runKubelet("AWS_PROFILE=a\nExecStartPre=/bin/evil\t\"\\%\x00")
	n.install()
	if want := `Environment="AWS_PROFILE=a\nExecStartPre=/bin/evil` + "\t" + `\"\\%%"` + "\n"; !strings.Contains(n.read(unitDir+"/"+refreshUnit), want) {
		t.Errorf("got %s, want %s", n.read(unitDir+"/"+refreshUnit), want)
	}
}

// TestSecretsOfEnv: the plan does not print secrets from a provider's env. This holds for
// an entry with an unknown field, too, which kubelets before 1.32 accept.
func TestSecretsOfEnv(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		`{"name":"AWS_SECRET_ACCESS_KEY","value":"geheim/geheim+1"}`, `{"name":"HTTPS_PROXY","value":"http://user:geheim@proxy:3128"}`,
	} {
		for _, field := range []string{"", `"future":1,`} {
			n := disks["AL2"].node(t)
			n.write("/usr/bin/kubelet", "Kubernetes v1.31.0")
			env := field + `"env":[` + secret + `,{"name":"AWS_REGION","value":"eu-west-1"}],`
			n.write(eksDir+"/config.json", strings.Replace(stockJSONv1, `"defaultCacheDuration"`, env+`"defaultCacheDuration"`, 1))
			n.install()
			n.uninstall()
			if strings.Contains(n.out.String(), "geheim") || !strings.Contains(n.out.String(), "eu-west-1") {
				t.Errorf("%s: got %s, want the region and no secret", env, n.out.String())
			}
		}
	}
}

// TestUnitSyntax: a setting in a unit may continue on the next line. Each percent sign
// in a setting is doubled.
func TestUnitSyntax(t *testing.T) {
	t.Parallel()
	n := disks["AL2"].node(t)
	n.write("/usr/lib/systemd/system/kubelet.service", "[Service]\nEnvironment=A=b \\\n  \"AWS_PROFILE=x 100%%\"\n")
	n.install()
	if want := `Environment="AWS_PROFILE=x 100%%"`; !strings.Contains(n.read(unitDir+"/"+refreshUnit), want) {
		t.Errorf("got %s, want %s", n.read(unitDir+"/"+refreshUnit), want)
	}
}
