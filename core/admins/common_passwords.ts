/**
 * What people choose when twelve characters are asked for. Compared without case, with digits for letters undone, and
 * without digits and signs at the end: so "P4ssw0rdP4ssw0rd2026!" is one of them.
 */

const COMMON = `
abcdefghijkl adminadmin adminadminadmin administrator administration alexanderalexander allofthelights anarchyanarchy
asdfasdfasdf asdfghjkl asdfghjklqwerty asdfghjklzxcvbnm asdfjklasdfjkl aspirine badpassword bestfriends bestfriendsforever
blackandwhite blinkonehundred butterfly callofduty changeme changemenow changethispassword chelseafc chocolate christian
christopher cocacolacocacola computercomputer confidential correcthorse correcthorsebatterystaple correctbatterystaple
defaultpassword dontforgetthis downloaddownload dragonball dragondragon drowssap elizabeth everything facebook
fingerprint foreverandever footballfootball forgetmenot fuckyoufuckyou fuckyou gameofthrones generation goodmorning
grandmother guestguest harrypotter hellohello hellohellohello helloworld hunterhunter iamthebest iforgotmypassword
idontknow idontremember iloveyou iloveyouforever iloveyousomuch iloveyoubaby imagination independence inthebeginning
internet internetinternet jamijamijami jehovahwitness jesuschrist jesusislord jesuslovesme justinbieber killerkiller
kituokituo kituokituokituo leavemealone letmein letmeinletmein letmeinnow letmeinplease linkedin liverpool
liverpoolfc livelaughlove lordoftherings losangeles loveforever lovelovelove loveyouforever loveyoulongtime
manchester manchesterunited mastermaster masterpassword metallica michaeljackson microsoft millennium
monkeymonkey motherfucker mypassword mypasswordis mypasswordispassword mysecretpassword networkadmin nevergiveup
newpassword newyorkcity nopassword nopasswordneeded nothing notmypassword oneoneoneone onetwothree onetwothreefour
opensesame orangeorange pass passpasspass passphrase passw password passwordadmin passwordpassword
passwordpasswordpassword passworddrowssap philadelphia photography pleaseletmein pokemonpokemon princess
princessprincess qazwsxedc qazwsxedcrfv qazwsxedcrfvtgb qqqwwweee qwerasdf qwerasdfzxcv qwert qwerty qwertyasdf
qwertyasdfgh qwertyasdfghzxcvbn qwertyqwerty qwertyqwertyqwerty qwertyui qwertyuiop qwertyuiopasdf
qwertyuiopasdfgh qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm qwertypassword raspberry raspberrypi realmadrid
restinpeace rollercoaster rootroot rootrootroot rootpassword secret secretpassword secretsecret secretsecretsecret
september serverserver shadowshadow silversilver snoopdogg somepassword sonyericsson spongebob starwars starwarsstarwars
strawberry summersummer sunshine sunshinesunshine superadmin superman supersecret supersecretpassword supersecure superuser
systemadmin technology temporary temppassword temporarypassword testpassword testtesttest testtest thequickbrownfox
thisismypassword thisisapassword thisisnotapassword thisisasecret tinkerbell tobeornottobe transformers
trustnoone universidad university unknownunknown valentine victoria volkswagen washington
welcome welcomehome welcometohell welcomewelcome whatever whatisthis whoami wonderland wordpass
wordpassword youaremine zaqwsxcde zxcvbnm zxcvbnmasdfghjkl zxcvbnmzxcvbnm
`.trim().split(/\s+/);

/** Rows of keyboards and the order of letters and digits, each also backwards. */
const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "01234567890123456789",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiop",
  "azertyuiop",
  "yxcvbnm",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
  "1q2w3e4r5t6y7u8i9o0p",
  "!@#$%^&*()",
  '!"§$%&/()=',
];

/** Characters in a row that are looked for in {@link ROWS}: shorter ones stand in honest words. */
const RUN = 4;

const LETTERS: Record<string, string> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "8": "b",
  "@": "a",
  "$": "s",
  "!": "i",
};

const common = new Set(COMMON);
const runs = new Set(ROWS.flatMap((row) => {
  return [row, [...row].reverse().join("")].flatMap((line) =>
    [...line].slice(0, line.length - RUN + 1).map((_, at) => line.slice(at, at + RUN))
  );
}));

/** Is it among those that are tried first? @param password in lower case */
export function isCommon(password: string): boolean {
  const bare = password.replace(/[^\p{L}]+$/u, "").replace(/^[^\p{L}]+/u, "");
  return [password, bare].some((text) => common.has(text) || common.has(asLetters(text).replace(/[^\p{L}]/gu, "")));
}

/** How many characters are new: those that go on with a repetition or along a row of the keyboard tell nothing. */
export function newCharacters(password: string): number {
  const characters = [...password];
  let count = 0;
  for (let at = 0; at < characters.length; at++) {
    const run = characters.slice(Math.max(0, at - RUN + 1), at + 1).join("");
    if (runs.has(run) || goesOn(characters, at)) continue;
    count++;
  }
  return count;
}

/** Does the character at `at` repeat the one `n` before it, as the n before did, for some n? */
function goesOn(characters: string[], at: number): boolean {
  for (let period = 1; period <= at; period++) {
    const length = Math.max(2, Math.min(period, RUN));
    if (at < period + length - 1) continue;
    const steps = Array.from({ length }, (_, i) => at - i);
    if (steps.every((i) => i >= period && characters[i] === characters[i - period])) return true;
  }
  return false;
}

function asLetters(text: string): string {
  return [...text].map((character) => LETTERS[character] ?? character).join("");
}
