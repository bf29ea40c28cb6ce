package fakeaws

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// providerARN returns the ARN of an account's OIDC provider.
func (w *World) providerARN(account, issuer string) string {
	return "arn:" + w.partition() + ":iam::" + account + ":oidc-provider/" + strings.TrimPrefix(issuer, "https://")
}

// issuerOf returns the issuer of the OIDC provider that a form names.
func (w *World) issuerOf(account string, form url.Values) (string, *apiError) {
	arn := form.Get("OpenIDConnectProviderArn")
	_, name, _ := strings.Cut(arn, ":oidc-provider/")
	issuer := "https://" + name
	if _, ok := w.provider(account, issuer); !ok || arn != w.providerARN(account, issuer) {
		return "", noSuchEntity("OpenIDConnect Provider not found for arn %s", arn)
	}
	return issuer, nil
}

func createProvider(w *World, account string, form url.Values) (string, *apiError) {
	issuer := form.Get("Url")
	_, exists := w.provider(account, issuer)
	switch {
	case !strings.HasPrefix(issuer, "https://"):
		return "", &apiError{http.StatusBadRequest, "ValidationError", "Invalid Open ID Connect Provider URL"}
	case exists:
		return "", &apiError{http.StatusConflict, "EntityAlreadyExists", "Provider with url " + issuer + " already exists."}
	}
	w.SetProvider(account, issuer, members(form, "ClientIDList", "")...)
	arn := w.providerARN(account, issuer)
	w.tagProvider(arn, tagsOf(form))
	return element("OpenIDConnectProviderArn", arn), nil
}

func getProvider(w *World, account string, form url.Values) (string, *apiError) {
	issuer, refusal := w.issuerOf(account, form)
	if refusal != nil {
		return "", refusal
	}
	audiences, _ := w.provider(account, issuer)
	var s strings.Builder
	for _, audience := range audiences {
		s.WriteString(element("member", audience))
	}
	return element("Url", strings.TrimPrefix(issuer, "https://")) + "<ClientIDList>" + s.String() + "</ClientIDList><ThumbprintList></ThumbprintList>" + tagsXML(w.tagsOfProvider(w.providerARN(account, issuer))), nil
}

func listProviders(w *World, account string, _ url.Values) (string, *apiError) {
	w.mu.Lock()
	issuers := slices.Sorted(maps.Keys(w.providers[account]))
	w.mu.Unlock()
	var s strings.Builder
	for _, issuer := range issuers {
		s.WriteString("<member>" + element("Arn", w.providerARN(account, issuer)) + "</member>")
	}
	return "<OpenIDConnectProviderList>" + s.String() + "</OpenIDConnectProviderList>", nil
}

func addClientID(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeAudiences(account, form, func(audiences values, id string) values { return append(audiences, id) })
}

func removeClientID(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeAudiences(account, form, func(audiences values, id string) values {
		return slices.DeleteFunc(audiences, func(a string) bool { return a == id })
	})
}

func (w *World) changeAudiences(account string, form url.Values, change func(values, string) values) (string, *apiError) {
	issuer, refusal := w.issuerOf(account, form)
	if refusal != nil {
		return "", refusal
	}
	audiences, _ := w.provider(account, issuer)
	id := form.Get("ClientID")
	audiences = slices.DeleteFunc(slices.Clone(audiences), func(a string) bool { return a == id })
	w.SetProvider(account, issuer, change(audiences, id)...)
	return "", nil
}

func tagProvider(w *World, account string, form url.Values) (string, *apiError) {
	_, refusal := w.issuerOf(account, form)
	if refusal == nil {
		w.tagProvider(form.Get("OpenIDConnectProviderArn"), tagsOf(form))
	}
	return "", refusal
}

func listProviderTags(w *World, account string, form url.Values) (string, *apiError) {
	_, refusal := w.issuerOf(account, form)
	return tagsXML(w.tagsOfProvider(form.Get("OpenIDConnectProviderArn"))) + element("IsTruncated", "false"), refusal
}

func (w *World) tagProvider(arn string, tags map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.providerTags[arn] == nil {
		w.providerTags[arn] = map[string]string{}
	}
	maps.Copy(w.providerTags[arn], tags)
}

func (w *World) tagsOfProvider(arn string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.providerTags[arn])
}
