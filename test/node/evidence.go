package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// report prints the observations: briefly if the case passed, and all of them if it
// failed or if whole is set.
func (n *Node) report(w io.Writer, failure error, whole bool) {
	if n != nil {
		n.reportShort(w)
	}
	if failure == nil && !whole {
		return
	}
	if n != nil {
		printAll(w, "aws", n.AWS.Calls())
		printAll(w, "registry", n.registries.accesses())
	}
	for _, name := range []string{"containerd", "etcd", "kube-apiserver", "kubelet", "ecr-pull-secrets"} {
		printAll(w, name, matchingLines(logOf(name), func(string) bool { return true }))
	}
	if failure != nil {
		fmt.Fprintf(w, "  FAILED: %v\n", failure)
	}
}

func (n *Node) reportShort(w io.Writer) {
	var plugin, registry []string
	for _, run := range n.runs() {
		plugin = append(plugin, n.tell(run))
	}
	for _, a := range n.registries.accesses() {
		if strings.Contains(a.path, "/manifests/") && !strings.Contains(a.path, "/sha256:") && a.host != sandboxHost {
			registry = append(registry, a.String())
		}
	}
	printCounted(w, "plugin", plugin)
	printCounted(w, "aws", lines(n.AWS.Calls(fakeaws.STS, fakeaws.ECR, fakeaws.ECRPublic)))
	printCounted(w, "registry", registry)
	printCounted(w, "kubelet", messages(slices.Concat(n.KubeletLog("Failed to provide credentials"), n.KubeletLog("Failed to register CRI auth plugins"))))
	printCounted(w, "event", n.events())
}

// messages returns lines of the kubelet's log without time and source line.
func messages(lines []string) []string {
	var all []string
	for _, line := range lines {
		_, message, _ := strings.Cut(line, "] ")
		all = append(all, message)
	}
	return all
}

var event = regexp.MustCompile(`"Event occurred" object="(?:default/)?([^"]+?)(?:-` + nodeName + `)?".* reason="(Pulled|Failed|BackOff)" message=(".*")`)

// events returns the events about pulls that a pod's user sees.
func (n *Node) events() []string {
	var all []string
	for _, line := range n.KubeletLog(`"Event occurred"`) {
		if m := event.FindStringSubmatch(line); m != nil {
			all = append(all, fmt.Sprintf("%s %s: %s", m[1], m[2], m[3]))
		}
	}
	return all
}

// ages matches the age of a remembered failure in a message.
var ages = regexp.MustCompile(`refused \w+ ago, asked again in \w+`)

// printCounted prints each line once, with its count. Lines that differ only in the
// age are equal.
func printCounted(w io.Writer, what string, lines []string) {
	count := map[string]int{}
	var order []string
	for _, line := range lines {
		key := ages.ReplaceAllString(line, "")
		if count[key]++; count[key] == 1 {
			order = append(order, line)
		}
	}
	for _, line := range order {
		times := ""
		if c := count[ages.ReplaceAllString(line, "")]; c > 1 {
			times = fmt.Sprintf(" (%d times)", c)
		}
		fmt.Fprintf(w, "  %-9s%s%s\n", what, line, times)
	}
}

func printAll[T any](w io.Writer, what string, items []T) {
	fmt.Fprintf(w, "  --- %s\n", what)
	for _, item := range items {
		fmt.Fprintf(w, "  %v\n", item)
	}
}

func lines[T fmt.Stringer](items []T) []string {
	var all []string
	for _, item := range items {
		all = append(all, item.String())
	}
	return all
}

// matchingLines returns the lines of a log that are wanted.
func matchingLines(path string, wanted func(string) bool) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); wanted(line) {
			found = append(found, line)
		}
	}
	return found
}
