// Hugging Face's tokenizers for scripts that compare: does one task and prints the seconds that it took,
// without the start of the program and the reading of its files.
//
//     node hf_tokenizers.js MODULE encode TOKENIZER.json TEXT     lines, in batches of 1,000
//     node hf_tokenizers.js MODULE train TEXT [TOKENIZER.json]    which is written
//
// Threads are those of RAYON_NUM_THREADS.
const fs = require('fs');
const [module_path, task, ...files] = process.argv.slice(2);
const tokenizers = require(module_path);
const seconds = () => Number(process.hrtime.bigint()) / 1e9;

async function encode(tokenizer_path, text_path) {
    const tokenizer = tokenizers.Tokenizer.fromFile(tokenizer_path);
    const lines = fs.readFileSync(text_path, 'utf8').split('\n').map((line) => line + '\n');
    const began = seconds();
    let tokens = 0;
    for (let i = 0; i < lines.length; i += 1000) {
        const options = { addSpecialTokens: false };
        for (const encoding of await tokenizer.encodeBatch(lines.slice(i, i + 1000), options))
            tokens += encoding.getLength();
    }
    return { seconds: seconds() - began, tokens };
}

// The interface of JavaScript leaves the trainer's options at their defaults: 30,000 ids.
function train(text_path, tokenizer_path) {
    const tokenizer = new tokenizers.Tokenizer(tokenizers.BPE.empty());
    tokenizer.setPreTokenizer(tokenizers.byteLevelPreTokenizer(false, true));
    const began = seconds();
    tokenizer.train([text_path]);
    const ended = seconds();
    if (tokenizer_path) tokenizer.save(tokenizer_path);
    return { seconds: ended - began, size: tokenizer.getVocabSize() };
}

(async () => console.log(JSON.stringify(await { encode, train }[task](...files))))();
