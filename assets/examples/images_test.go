package app

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

const job = `{"$type": "textToImage", "model": "urn:air:sd1:checkpoint:civitai:4384@128713", "params": {"prompt": "a fox"}}`

func mock() string {
	if url := os.Getenv("CIVITAI_BASE_URL"); url != "" {
		return url
	}
	return "http://127.0.0.1:3000"
}

func send(t *testing.T, method, url, namespace, body string) int {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Mock-Namespace", namespace)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// control asks the control plane, and fails the test if that refuses.
func control(t *testing.T, method, path, namespace, body string) {
	t.Helper()
	if status := send(t, method, mock()+"/_mock"+path, namespace, body); status >= 300 {
		t.Fatalf("%s %s: %d", method, path, status)
	}
}

// world makes a namespace for a test, as new, and returns its name.
func world(t *testing.T) string {
	t.Helper()
	name := strings.ReplaceAll(t.Name(), "/", "-")
	control(t, "DELETE", "/namespaces/"+name, name, "{}")
	control(t, "PUT", "/namespaces/"+name, name, `{"seed": 7}`)
	return name
}

func TestOnlyTheFirstRequestIsThrottled(t *testing.T) {
	name := world(t)
	control(t, "POST", "/faults", name, `{"match": {}, "preset": "throttle", "times": 1}`)
	for _, expected := range []int{429, 202} {
		if status := send(t, "POST", mock()+"/ns/"+name+"/v1/consumer/jobs", name, job); status != expected {
			t.Fatalf("got %d, expected %d", status, expected)
		}
	}
}
