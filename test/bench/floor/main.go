// Command floor does nothing: what it takes to run it is what any Go program
// takes on this machine.
package main

func main() {}
