/** Two short tones; a browser keeps silent until somebody has pressed something on the page. */
export async function sound(): Promise<void> {
  const audio = new AudioContext();
  const end = playTones(audio);
  await new Promise((resolve) => setTimeout(resolve, end * 1_000 + 100));
  await audio.close();
}

/** Answers how long they last, in seconds. */
function playTones(audio: AudioContext): number {
  const tones = [660, 880];
  const length = 0.14;
  for (const [index, frequency] of tones.entries()) {
    const at = audio.currentTime + index * length;
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    tone.frequency.value = frequency;
    loudness.gain.setValueAtTime(0.12, at);
    loudness.gain.exponentialRampToValueAtTime(0.001, at + length);
    tone.connect(loudness).connect(audio.destination);
    tone.start(at);
    tone.stop(at + length);
  }
  return tones.length * length;
}
